import { isIPv4 } from 'node:net';

/** The 4 or 16 bytes of an address as vectors write it: without an embedded IPv4 address, without a zone. */
export function addressBytes(text: string): Uint8Array {
  if (isIPv4(text)) return Uint8Array.from(text.split('.'), Number);
  const [before, after] = text.split('::').map((half) => (half === '' ? [] : half.split(':')));
  const zeros = after === undefined ? [] : new Array<string>(8 - before.length - after.length).fill('0');
  const groups = [...before, ...zeros, ...(after ?? [])].map((group) => Number.parseInt(group, 16));
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}
