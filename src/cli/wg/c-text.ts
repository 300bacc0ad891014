/** Text as the C library reads it. */

/**
 * Reads an IPv4 address of one to four numbers, each decimal, octal (`017`) or hexadecimal (`0x1f`).
 *
 * @returns 4 bytes, or `undefined` if the text is no address.
 *
 * Source: inet_aton(3).
 */
export function parseLooseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split('.', 5);
  const numbers = parts.map(parseAnyBase);
  if (parts.length > 4 || numbers.some((number) => number === undefined)) return undefined;
  const last = numbers.pop()!;
  const lastBytes = 4 - numbers.length;
  if (numbers.some((number) => number! > 0xff) || last >= 2 ** (8 * lastBytes)) return undefined;
  const address = Buffer.alloc(4);
  address.writeUIntBE(last, numbers.length, lastBytes);
  address.set(numbers as number[]);
  return address;
}

function parseAnyBase(text: string): number | undefined {
  if (/^0x[0-9a-f]+$/i.test(text)) return Number.parseInt(text, 16);
  if (/^0[0-7]*$/.test(text)) return Number.parseInt(text, 8);
  return /^[1-9][0-9]*$/.test(text) ? Number(text) : undefined;
}

/** Tests for white space by the rules of isspace(3): the blank, and tab to carriage return. */
export function isWhiteSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}
/** Lowers A to Z only: `toLowerCase` also turns the Kelvin sign into a k. */
export function lowerAscii(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
