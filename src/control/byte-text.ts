import { isUtf8 } from 'node:buffer';

/**
 * Text that keeps bytes which are not UTF-8: each of them is a lone surrogate, U+DC80 to U+DCFF, until the text is
 * written again. Paths, command lines, and comments and commands in files are bytes, mostly but not always UTF-8.
 */

const ESCAPE = 0xdc00;
/** The flag `u` keeps the halves of a pair from matching. */
const ESCAPED = /[\udc80-\udcff]/u;
const LONGER_CHARACTERS = [2, 3, 4] as const;

/** Returns bytes as text. A byte order mark stays in the text. */
export function decodeBytes(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (isUtf8(buffer)) return buffer.toString('utf8');
  const pieces: string[] = [];
  for (let at = 0; at < buffer.length; ) {
    const length = validLength(buffer, at);
    pieces.push(length === 0 ? decodeByte(buffer[at]!) : buffer.toString('utf8', at, at + length));
    at += Math.max(length, 1);
  }
  return pieces.join('');
}

/** Returns one byte as text, even where the byte is part of a character. */
export function decodeByte(byte: number): string {
  return String.fromCharCode(byte < 0x80 ? byte : ESCAPE | byte);
}

/** Returns the bytes that `decodeBytes` has read; the text itself where it is UTF-8, as it mostly is. */
export function encodeText(text: string): string | Buffer {
  return ESCAPED.test(text) ? encodeEscaped(text) : text;
}

export function encodeBytes(text: string): Buffer {
  return ESCAPED.test(text) ? encodeEscaped(text) : Buffer.from(text);
}

function encodeEscaped(text: string): Buffer {
  const parts = Array.from(text, (character) =>
    ESCAPED.test(character) ? Buffer.of(character.charCodeAt(0) & 0xff) : Buffer.from(character),
  );
  return Buffer.concat(parts);
}

/** Returns the number of bytes from `at` on that are UTF-8: a run of ASCII, or one character of several bytes. */
function validLength(bytes: Buffer, at: number): number {
  let end = at;
  while (end < bytes.length && bytes[end]! < 0x80) end++;
  if (end > at) return end - at;
  return (
    LONGER_CHARACTERS.find((length) => at + length <= bytes.length && isUtf8(bytes.subarray(at, at + length))) ?? 0
  );
}
