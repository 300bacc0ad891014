import { readFileSync } from 'node:fs';

import { parseUnsignedLong } from './c-text.js';
import { WgFailure } from './wg-context.js';

const MAX_I32 = 0x7fff_ffffn;

export const NOT_KNOWN = 'Name or service not known';

/** What the C library writes about a port that is neither a number nor the name of a UDP service. */
export const NOT_A_SERVICE = 'Servname not supported for ai_socktype';

/**
 * Reads a port as the C library does: numbers above 65535 wrap around, names of UDP services count, and `*` is
 * any port.
 *
 * @returns 0–65,535, or `undefined` if it is none of these.
 *
 * Source: getaddrinfo(3) of glibc, services(5).
 */
export function parseService(text: string): number | undefined {
  if (text === '*') return 0;
  const number = parseUnsignedLong(text);
  if (number === undefined) return lookupService(text);
  const value = BigInt.asUintN(32, number);
  return value > MAX_I32 ? undefined : Number(value & 0xffffn);
}

/** The port of `wg set IF listen-port`; 0: any. @throws {WgFailure} */
export function parsePortArgument(text: string): number {
  if (text === '') throw new WgFailure('Unable to parse empty port');
  if (text === '*') throw new WgFailure(`${NOT_KNOWN}: \`*'`);
  const port = parseService(text);
  if (port === undefined) throw new WgFailure(`${NOT_A_SERVICE}: \`${text}'`);
  return port;
}

function lookupService(name: string): number | undefined {
  for (const line of readServices().split('\n')) {
    const [service, port, ...aliases] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (port?.endsWith('/udp') === true && (service === name || aliases.includes(name)))
      return Number.parseInt(port, 10);
  }
  return undefined;
}

/** Nothing where the file is missing or may not be read. */
function readServices(): string {
  try {
    return readFileSync('/etc/services', 'latin1');
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) return '';
    throw error;
  }
}
