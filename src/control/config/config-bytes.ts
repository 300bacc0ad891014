import { isUtf8 } from 'node:buffer';

/** A byte 0x80–0xff that is not part of UTF-8 text stands as the lone surrogate U+DC80–U+DCFF in a string. */
const FIRST_STAND_IN = 0xdc00;
const STAND_IN = /[\udc80-\udcff]/u;

/**
 * Turns the bytes of a file into text. Bytes that are not UTF-8 are kept as stand-ins: comments and commands may be in
 * any encoding, and nobody but their reader interprets them.
 */
export function decodeConfigBytes(bytes: Uint8Array): string {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  if (isUtf8(bytes)) return decoder.decode(bytes);

  const pieces: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = validLength(bytes, at);
    if (length > 0) pieces.push(decoder.decode(bytes.subarray(at, at + length)));
    else pieces.push(String.fromCharCode(FIRST_STAND_IN + bytes[at]!));
    at += Math.max(length, 1);
  }
  return pieces.join('');
}

/** Turns text back into the bytes that `decodeConfigBytes` has read. */
export function encodeConfigText(text: string): Buffer {
  if (!hasStandIns(text)) return Buffer.from(text);
  return Buffer.concat(
    [...text].map((character) => (STAND_IN.test(character) ? byteOf(character) : Buffer.from(character))),
  );
}

/** Returns whether a text has stand-ins for bytes, which a plain encoder would lose. */
export function hasStandIns(text: string): boolean {
  return STAND_IN.test(text);
}

function byteOf(standIn: string): Buffer {
  return Buffer.of(standIn.charCodeAt(0) - FIRST_STAND_IN);
}

/** Returns the number of bytes from `at` on that are UTF-8: a run of ASCII, or one character of several bytes. */
function validLength(bytes: Uint8Array, at: number): number {
  let end = at;
  while (end < bytes.length && bytes[end]! < 0x80) end++;
  if (end > at) return end - at;
  for (const length of [2, 3, 4]) {
    if (at + length <= bytes.length && isUtf8(bytes.subarray(at, at + length))) return length;
  }
  return 0;
}
