import { TARGET } from '../../manual.js';
import { quickCommand } from './quick-command.js';

/** Takes an interface down. */
export const down = quickCommand('down', {
  usage: 'INTERFACE|FILE',
  about: `
Runs the PreDown commands, saves the state into the file if that has SaveConfig = true, removes the interface with its
routes, rules and name servers, and runs the PostDown commands. The host is then as it was before "wiretype up". It
also clears up after an interface whose daemon has died.
`,
  words: [TARGET],
  options: {},
  examples: ['wiretype down wg0', 'wiretype down ./office.conf'],
});
