import { TARGET } from '../../manual.js';
import { quickCommand } from './quick-command.js';

/** Prints the part of a file that `wg` reads. */
export const strip = quickCommand('strip', {
  usage: 'INTERFACE|FILE',
  about: `
Prints the file without the lines for the host, as "wg setconf" and "wg syncconf" read it. To apply a changed
file to a running interface, "wiretype reload" does more.
`,
  words: [TARGET],
  options: {},
  examples: ['wg syncconf wg0 <(wiretype strip wg0)', 'wiretype strip wg0 | wiretype syncconf wg0 /dev/stdin'],
});
