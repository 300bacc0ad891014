import { quickCommand } from './quick-command.js';

/** Prints what is left of a file for `wg`. */
export const strip = quickCommand(
  'strip',
  `Usage: wiretype strip INTERFACE|FILE

Prints the file without the lines that are about the host, as "wg setconf" and "wg syncconf" take it. To apply a
changed file to a running interface, "wiretype reload" does more.

  wg syncconf wg0 <(wiretype strip wg0)
`,
);
