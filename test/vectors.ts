import { readFileSync } from 'node:fs';

/**
 * Reads a file of `test/vectors`; `ORIGIN.md` there says where each came from.
 *
 * @param path Such as "rfc/rfc7748.json".
 */
export function readVectors<Vectors>(path: string): Vectors {
  // The tests run in dist/test, two floors below the root as seen from here.
  return JSON.parse(readFileSync(new URL(`../../test/vectors/${path}`, import.meta.url), 'utf8')) as Vectors;
}

export function fromHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
