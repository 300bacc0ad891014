import { TARGET } from '../../manual.js';
import { quickCommand } from './quick-command.js';

/** Writes the state of an interface into its file. */
export const save = quickCommand('save', {
  usage: 'INTERFACE|FILE',
  about: `
Writes the state of the running interface into its file: addresses, port, keys, and peers with their endpoints and
allowed IPs. Only lines that differ change; comments and order stay. An endpoint that is written as a name stays a
name.
`,
  words: [TARGET],
  options: {},
  examples: ['wiretype set wg0 peer "$KEY" allowed-ips 10.0.0.7/32', 'wiretype save wg0'],
});
