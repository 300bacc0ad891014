import { lookupKey } from '../../control/config/config-keys.js';
import type { ConfigDocument } from '../../control/config/index.js';

/**
 * What is left of a file for `wg setconf` and `wg syncconf`: every line as it is, but for those about the host.
 *
 * @returns One empty line more than the file, as wg-quick(8) prints it.
 */
export function strip(document: ConfigDocument): string {
  const kept: string[] = document.preamble.map(({ raw }) => raw);
  for (const section of document.sections) {
    for (const line of section.lines()) {
      const isAboutHost =
        section.kind === 'interface' && line.kind === 'entry' && lookupKey(line.key)?.reader === 'wg-quick';
      if (!isAboutHost) kept.push(line.raw);
    }
  }
  return `${kept.map((raw) => raw.replace(/\n?$/, '\n')).join('')}\n`;
}
