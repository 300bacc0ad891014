import { CONFIG_KEYS } from '../../control/config/config-keys.js';
import type { ConfigDocument } from '../../control/config/index.js';

const QUICK_KEYS = new Set(
  CONFIG_KEYS.filter(({ reader }) => reader === 'wg-quick').map(({ name }) => name.toLowerCase()),
);
/** Blanks that the shell removes from both ends of a line. */
const OUTER_BLANKS = /^[ \t]+|[ \t]+$/g;
/** White space around a key. */
const OUTER_SPACE = /^[ \t\r\v\f]+|[ \t\r\v\f]+$/g;
const CAPITALS = /[A-Z]/g;

/**
 * Returns the part of a file for `wg setconf` and `wg syncconf`: every line but those about the host.
 *
 * Lines are judged by the rules of the shell script, which differ from those of `wg`: a key without `=` counts, and
 * white space inside a key makes it another key.
 *
 * @returns One empty line more than the file, as wg-quick(8) prints it.
 */
export function strip(document: ConfigDocument): string {
  const kept: string[] = [];
  let isInterface = false;
  for (const { raw } of document.lines()) {
    const line = raw.replaceAll('\0', '').replace(/\n$/, '').replace(OUTER_BLANKS, '');
    if (line === '' && !raw.endsWith('\n')) continue;

    const key = line
      .replace(/#.*/s, '')
      .replace(/=.*/s, '')
      .replace(OUTER_SPACE, '')
      .replace(CAPITALS, (letter) => letter.toLowerCase());
    if (key.startsWith('[')) isInterface = key === '[interface]';
    if (!isInterface || !QUICK_KEYS.has(key)) kept.push(`${line}\n`);
  }
  return `${kept.join('')}\n`;
}
