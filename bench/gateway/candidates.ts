import { CHECKOUT } from '../../test/lab/implementation.js';
import { attempt } from '../../test/lab/program.js';
import {
  absent,
  type Candidate,
  type Contender,
  GATEWAY,
  GATEWAY_JS,
  GATEWAY_TUN,
  PASTA,
  SLIRP,
} from '../contender.js';

const WIRETYPE = `${CHECKOUT}bin/wiretype`;

/** Returns all contenders of the measures of gateways. */
export function gatewayCandidates(): Candidate[] {
  return [
    [GATEWAY, () => ours(GATEWAY)],
    [GATEWAY_JS, () => ours(GATEWAY_JS)],
    [GATEWAY_TUN, () => ours(GATEWAY_TUN)],
    [SLIRP, () => translator(SLIRP, 'slirp4netns')],
    [PASTA, () => translator(PASTA, 'pasta')],
  ];
}

async function ours(title: string): Promise<Contender> {
  const { stdout } = await attempt(WIRETYPE, ['--version']);
  return { kind: 'gateway', title, command: WIRETYPE, version: /\d+\.\d+\.\d+/.exec(stdout)?.[0] ?? 'unknown version' };
}

async function translator(title: string, command: string): Promise<Contender | undefined> {
  const { status, stdout, stderr } = await attempt(command, ['--version']);
  if (status === 127) return absent(title, `${command} is not there`);
  const version = /\d[\w.~-]*/.exec(stdout + stderr)?.[0] ?? 'unknown version';
  return { kind: 'translator', title, command, version };
}
