import { readFileSync } from 'node:fs';
import { decodeBytes } from '../control/byte-text.js';

const REPLACEMENT = '\ufffd';

/**
 * Returns the words after the program's name. Node replaces bytes that are not UTF-8 by U+FFFD; such words
 * are fetched from the kernel, see `byte-text.ts`.
 */
export function commandLineWords(argv: readonly string[]): readonly string[] {
  if (!argv.some((word) => word.includes(REPLACEMENT))) return argv;
  const words = splitAtNul(readFileSync('/proc/self/cmdline'));
  return words.slice(words.length - argv.length);
}

function splitAtNul(bytes: Buffer): string[] {
  const words: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(0, at);
    words.push(decodeBytes(bytes.subarray(at, end)));
    at = end + 1;
  }
  return words;
}
