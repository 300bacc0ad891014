import { CHECKOUT } from '../../test/lab/implementation.js';
import { attempt } from '../../test/lab/program.js';
import { absent, type Candidate, type Contender, GVISOR, KERNEL_TUN, LIBRARY, PROXY, wireguard } from '../contender.js';
import type { Options } from '../options.js';
import { buildGvisor } from './gvisor.js';

const WIRETYPE = `${CHECKOUT}bin/wiretype`;

/** Returns all contenders of the measures without root. */
export function rootlessCandidates(options: Options): Candidate[] {
  return [
    [LIBRARY, async () => await ours(LIBRARY, 'library')],
    [PROXY, proxy],
    [KERNEL_TUN, async () => await wireguard(KERNEL_TUN, `${CHECKOUT}bin/wiretyped`)],
    [GVISOR, async () => await gvisor(options)],
  ];
}

async function proxy(): Promise<Contender | undefined> {
  const { status } = await attempt(WIRETYPE, ['proxy', '--help']);
  return status === 0 ? await ours(PROXY, 'proxy') : absent(PROXY, 'there is no command "wiretype proxy"');
}

async function ours(title: string, kind: 'library' | 'proxy'): Promise<Contender> {
  const { stdout } = await attempt(WIRETYPE, ['--version']);
  return { kind, title, command: WIRETYPE, version: /\d+\.\d+\.\d+/.exec(stdout)?.[0] ?? 'unknown version' };
}

async function gvisor({ gvisor: path }: Options): Promise<Contender | undefined> {
  if (path !== undefined) return { kind: 'gvisor', title: GVISOR, command: path, version: path };
  const built = await buildGvisor();
  if ('reason' in built) return absent(GVISOR, built.reason);
  return { kind: 'gvisor', title: GVISOR, command: built.program, version: built.version };
}
