import { CHECKOUT, type Implementation } from '../test/lab/implementation.js';
import { attempt } from '../test/lab/program.js';
import type { Options } from './settings.js';
import { buildTool, OPENSSL } from './tools.js';

/**
 * Who is measured: the bare cable, the plain C loop that is the yardstick, or an implementation of WireGuard.
 */
export interface Contender extends Implementation {
  readonly kind: 'cable' | 'limit' | 'wireguard';
  readonly version: string;
}

export const SUBJECT = 'wiretype';
export const CABLE = 'none';
export const LIMIT = 'limit';
export const WIREGUARD_GO = 'wireguard-go';

/** All contenders that are asked for and can be had. What cannot be had is told on standard error and left out. */
export async function findContenders(options: Options): Promise<Contender[]> {
  const wanted = [
    async () => ({ kind: 'cable', title: CABLE, command: '', version: 'no tunnel' }) as const,
    async () => await wireguard(SUBJECT, `${CHECKOUT}bin/wiretyped`),
    async () => await wireguard(WIREGUARD_GO, options.wireguardGo),
    async () => await limit(),
    ...options.also.map((pair) => async () => await further(pair)),
  ];
  const found: Contender[] = [];
  for (const find of wanted) {
    const contender = await find();
    if (contender !== undefined && isAskedFor(contender.title, options)) found.push(contender);
  }
  return found;
}

function isAskedFor(title: string, { contenders, isSmoke }: Options): boolean {
  if (contenders.length > 0) return contenders.includes(title);
  return !isSmoke || title === SUBJECT || title === LIMIT;
}

async function further(pair: string): Promise<Contender | undefined> {
  const at = pair.indexOf('=');
  if (at < 1) throw new TypeError(`--also takes NAME=PROGRAM, not "${pair}"`);
  return await wireguard(pair.slice(0, at), pair.slice(at + 1));
}

async function wireguard(title: string, command: string): Promise<Contender | undefined> {
  const { status, stdout, stderr } = await attempt(command, ['--version']);
  if (status === 127) return absent(title, `${command} is not there`);
  const version = /v?\d+\.\d+[^\s]*/.exec(stdout + stderr)?.[0] ?? 'unknown version';
  return { kind: 'wireguard', title, command, version };
}

async function limit(): Promise<Contender | undefined> {
  const command = await buildTool('limit', OPENSSL);
  if (command === undefined)
    return absent(LIMIT, 'bench/limit.c does not compile: it needs cc and the headers of Node');
  return { kind: 'limit', title: LIMIT, command, version: 'bench/limit.c' };
}

function absent(title: string, reason: string): undefined {
  process.stderr.write(`bench: without ${title}: ${reason}\n`);
}
