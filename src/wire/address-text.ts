/** Text of IP addresses: conversion between 4 or 16 bytes and text. */
const IPV4_BYTES = 4;
const IPV6_BYTES = 16;
const IPV6_GROUPS = 8;

const DECIMAL = /^(?:0|[1-9][0-9]{0,2})$/;
const GROUP = /^[0-9a-fA-F]{1,4}$/;

/**
 * Reads an IPv4 or IPv6 address without a zone.
 *
 * @returns 4 or 16 bytes, or `undefined`. Octets with leading zeros are refused: some programs read them as octal.
 *
 * Source: RFC 4291 §2.2; RFC 6943 §3.1.1.
 */
export function parseIpAddress(text: string): Uint8Array | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

/**
 * Writes 4 or 16 bytes in the one canonical form, that of the C library: RFC 5952, with the last 32 bits of
 * ::ffff:0:0/96 and of ::/96 in dots.
 *
 * Source: RFC 5952 §4, §5; inet_ntop(3) of glibc.
 */
export function formatIpAddress(address: Uint8Array): string {
  return address.length === IPV4_BYTES ? formatIpv4(address, 0) : formatIpv6(address);
}

function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split('.', IPV4_BYTES + 1);
  if (parts.length !== IPV4_BYTES) return undefined;

  const address = new Uint8Array(IPV4_BYTES);
  for (let i = 0; i < IPV4_BYTES; i++) {
    const octet = DECIMAL.test(parts[i]!) ? Number(parts[i]) : 256;
    if (octet > 255) return undefined;
    address[i] = octet;
  }
  return address;
}

function parseIpv6(text: string): Uint8Array | undefined {
  const gap = text.indexOf('::');
  if (gap < 0) {
    const groups = parseGroups(text);
    return groups?.length === IPV6_GROUPS ? toBytes(groups, []) : undefined;
  }
  const left = gap === 0 ? [] : parseGroups(text.slice(0, gap), false);
  const rest = text.slice(gap + 2);
  const right = rest === '' ? [] : parseGroups(rest);
  // "::" stands for at least one group of zeros.
  if (left === undefined || right === undefined || left.length + right.length >= IPV6_GROUPS) return undefined;
  return toBytes(left, right);
}

/** @param mayEndInIpv4 The last part may be a dotted IPv4 address, which makes two groups. */
function parseGroups(text: string, mayEndInIpv4 = true): number[] | undefined {
  const groups: number[] = [];
  const parts = text.split(':', IPV6_GROUPS + 1);
  for (const [i, part] of parts.entries()) {
    if (GROUP.test(part)) {
      groups.push(Number.parseInt(part, 16));
      continue;
    }
    const ipv4 = mayEndInIpv4 && i === parts.length - 1 ? parseIpv4(part) : undefined;
    if (ipv4 === undefined) return undefined;
    groups.push((ipv4[0]! << 8) | ipv4[1]!, (ipv4[2]! << 8) | ipv4[3]!);
  }
  return groups.length <= IPV6_GROUPS ? groups : undefined;
}

function toBytes(left: readonly number[], right: readonly number[]): Uint8Array {
  const address = new Uint8Array(IPV6_BYTES);
  for (const [i, group] of left.entries()) setGroup(address, i, group);
  for (const [i, group] of right.entries()) setGroup(address, IPV6_GROUPS - right.length + i, group);
  return address;
}

function setGroup(address: Uint8Array, index: number, group: number): void {
  address[2 * index] = group >> 8;
  address[2 * index + 1] = group;
}

function formatIpv4(bytes: Uint8Array, at: number): string {
  return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
}

function formatIpv6(address: Uint8Array): string {
  if (isIpv4Mapped(address)) return `::ffff:${formatIpv4(address, 12)}`;
  if (isIpv4Compatible(address)) return `::${formatIpv4(address, 12)}`;

  const groups: number[] = [];
  for (let i = 0; i < IPV6_GROUPS; i++) groups.push((address[2 * i]! << 8) | address[2 * i + 1]!);

  const [start, length] = longestZeroRun(groups);
  if (length < 2) return hexGroups(groups);
  return `${hexGroups(groups.slice(0, start))}::${hexGroups(groups.slice(start + length))}`;
}

function hexGroups(groups: readonly number[]): string {
  return groups.map((group) => group.toString(16)).join(':');
}

/** @returns Start and length of the first of the longest runs of zero groups. */
function longestZeroRun(groups: readonly number[]): [start: number, length: number] {
  let best: [number, number] = [0, 0];
  let length = 0;
  for (const [i, group] of groups.entries()) {
    length = group === 0 ? length + 1 : 0;
    if (length > best[1]) best = [i - length + 1, length];
  }
  return best;
}

/** `::ffff:0:0/96`, RFC 4291 §2.5.5.2. */
export function isIpv4Mapped(address: Uint8Array): boolean {
  if (address.length !== IPV6_BYTES || address[10] !== 0xff || address[11] !== 0xff) return false;
  for (let i = 0; i < 10; i++) if (address[i] !== 0) return false;
  return true;
}

/** `::a.b.c.d`, which RFC 4291 §2.5.5.1 no longer uses. `::1` and the like are excluded. */
function isIpv4Compatible(address: Uint8Array): boolean {
  if (address[12] === 0 && address[13] === 0) return false;
  for (let i = 0; i < 12; i++) if (address[i] !== 0) return false;
  return true;
}
