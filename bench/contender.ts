import { basename } from 'node:path';

import { CHECKOUT, type Implementation } from '../test/lab/implementation.js';
import { attempt } from '../test/lab/program.js';
import type { Options } from './options.js';
import { buildSource, OPENSSL } from './tools.js';

/**
 * A measured contender: the bare cable, the plain C loop that is the yardstick, an implementation of WireGuard, or a program
 * that is a host of a WireGuard network by itself.
 */
export interface Contender extends Implementation {
  readonly kind: 'cable' | 'limit' | 'wireguard' | 'library' | 'proxy' | 'gvisor' | 'gateway' | 'translator';
  readonly version: string;
  /** Whether it supports only one peer, by IPv4. */
  readonly isPairOnly?: boolean;
}

export const SUBJECT = 'wiretype';
export const CABLE = 'none';
export const LIMIT = 'limit';
export const WIREGUARD_GO = 'wireguard-go';
/** Contenders of the measures without root. */
export const LIBRARY = 'library';
export const PROXY = 'proxy';
export const KERNEL_TUN = 'kernel TUN';
export const GVISOR = 'gVisor';
/** Contenders of the measures of gateways. */
export const GATEWAY = 'gateway';
export const GATEWAY_JS = 'gateway, no addon';
export const GATEWAY_TUN = 'gateway --tun';
export const SLIRP = 'slirp4netns';
export const PASTA = 'pasta';
/** Contenders of the measures of the mesh. */
export const HUB = 'hub';
export const HUB_JS = 'hub, no addon';
/** Our own contenders. Goals and ratios of a figure are about the first of them that has readings. */
export const SUBJECTS: readonly string[] = [SUBJECT, LIBRARY, PROXY, GATEWAY, HUB];

/** A name, and the way to find what bears it. */
export type Candidate = readonly [title: string, find: () => Promise<Contender | undefined>];

/** Returns all contenders of the measures between two hosts. */
export function candidates(options: Options): Candidate[] {
  return [
    [CABLE, async () => ({ kind: 'cable', title: CABLE, command: '', version: 'no tunnel' })],
    [SUBJECT, async () => await wireguard(SUBJECT, `${CHECKOUT}bin/wiretyped`)],
    [WIREGUARD_GO, async () => await wireguard(WIREGUARD_GO, options.wireguardGo)],
    [LIMIT, async () => await limit(options.limit)],
    ...options.also.map((pair): Candidate => {
      const [title, command] = pair.split('=', 2) as [string, string];
      return [title, async () => await wireguard(title, command)];
    }),
  ];
}

/**
 * Returns all requested contenders that are available. Missing ones are reported on standard error and left out.
 *
 * @throws {TypeError} A contender that was requested by name is missing.
 */
export async function findContenders(options: Options, known: readonly Candidate[]): Promise<Contender[]> {
  const wanted = namesWanted(options);
  const found: Contender[] = [];
  for (const [title, find] of known) {
    if (wanted !== undefined && !wanted.includes(title)) continue;
    const contender = await find();
    if (contender !== undefined) found.push(contender);
  }
  const missing = wanted?.filter((name) => !found.some(({ title }) => title === name)) ?? [];
  if (missing.length > 0) throw new TypeError(`there is no contender ${missing.join(', ')}`);
  return found;
}

/** @returns `undefined`: all available contenders. */
function namesWanted({ contenders, action, suite }: Options): readonly string[] | undefined {
  if (contenders.length > 0) return contenders;
  return action === 'smoke' && suite === 'tunnel' ? [SUBJECT, LIMIT] : undefined;
}

export async function wireguard(title: string, command: string): Promise<Contender | undefined> {
  const { status, stdout, stderr } = await attempt(command, ['--version']);
  if (status === 127) return absent(title, `${command} is not there`);
  const version = /v?\d+\.\d+[^\s]*/.exec(stdout + stderr)?.[0] ?? 'unknown version';
  return { kind: 'wireguard', title, command, version };
}

/** @param path A program or its source; default: our own. */
async function limit(path = `${CHECKOUT}bench/limit.c`): Promise<Contender | undefined> {
  const command = path.endsWith('.c') ? await buildSource(path, OPENSSL) : path;
  if (command === undefined) return absent(LIMIT, `${path} does not compile: it needs cc and the headers of Node`);
  const { status, stdout, stderr } = await attempt(command, []);
  if (status === 127) return absent(LIMIT, `${command} is not there`);
  const isPairOnly = !(stdout + stderr).includes('INNER/OUTER/PORT');
  return { kind: 'limit', title: LIMIT, command, version: basename(path), isPairOnly };
}

/** Reports why a contender is left out. */
export function absent(title: string, reason: string): undefined {
  process.stderr.write(`bench: without ${title}: ${reason}\n`);
}
