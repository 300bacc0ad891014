import { readFileSync } from 'node:fs';

import { parseUnsignedLong } from './unsigned-long.js';

const MAX_I32 = 0x7fff_ffffn;

/**
 * Reads a UDP port as the C library does: numbers above 65535 wrap around, names of services count, `*` is any port.
 *
 * @returns 0–65,535, or `undefined` for any other text.
 *
 * Source: getaddrinfo(3) of glibc, services(5).
 */
export function parseServicePort(text: string): number | undefined {
  if (text === '*') return 0;
  const number = parseUnsignedLong(text);
  if (number === undefined) return lookupService(text);
  const value = BigInt.asUintN(32, number);
  return value > MAX_I32 ? undefined : Number(value & 0xffffn);
}

function lookupService(name: string): number | undefined {
  for (const line of readServices().split('\n')) {
    const [service, port, ...aliases] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (port?.endsWith('/udp') !== true || (service !== name && !aliases.includes(name))) continue;
    return Number.parseInt(port, 10);
  }
  return undefined;
}

/** Returns nothing where the file is missing or may not be read. */
function readServices(): string {
  try {
    return readFileSync('/etc/services', 'latin1');
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) return '';
    throw error;
  }
}
