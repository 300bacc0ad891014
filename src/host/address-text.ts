import { networkInterfaces } from 'node:os';

import type { Endpoint } from '../wire/endpoint.js';

const IPV6_GROUPS = 8;

/** The 4 or 16 bytes of an address as Node writes it, without a zone. */
export function addressBytes(text: string): Uint8Array {
  return text.includes(':') ? ipv6Bytes(text) : Uint8Array.from(text.split('.'), Number);
}

/** The endpoint's address as Node reads it, with the zone that a link-local address needs. */
export function addressText(endpoint: Endpoint): string {
  const { address, scopeId } = endpoint;
  if (endpoint.family === 4) return address.join('.');
  const groups = Array.from({ length: IPV6_GROUPS }, (_, i) =>
    ((address[2 * i]! << 8) | address[2 * i + 1]!).toString(16),
  );
  const zone = scopeId === 0 ? undefined : zoneName(scopeId);
  return groups.join(':') + (zone === undefined ? '' : `%${zone}`);
}

/** The number of the interface behind a zone, or 0. */
export function zoneIndex(name: string): number {
  return networkInterfaces()[name]?.find((address) => address.family === 'IPv6' && address.scopeid > 0)?.scopeid ?? 0;
}

function zoneName(index: number): string | undefined {
  return Object.keys(networkInterfaces()).find((name) => zoneIndex(name) === index);
}

/** Node writes RFC 5952 text, with a dotted tail for mapped addresses. */
function ipv6Bytes(text: string): Uint8Array {
  const [left = '', right] = text.split('::', 2);
  const head = groupsOf(left);
  const tail = right === undefined ? [] : groupsOf(right);
  const gap = new Array<number>(IPV6_GROUPS - head.length - tail.length).fill(0);
  return Uint8Array.from([...head, ...gap, ...tail].flatMap((group) => [group >> 8, group & 0xff]));
}

function groupsOf(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((part) => {
    if (!part.includes('.')) return [Number.parseInt(part, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number);
    return [(a << 8) | b, (c << 8) | d];
  });
}
