import { TARGET } from '../../manual.js';
import { quickCommand } from './quick-command.js';

/** Sets an interface up from its file. */
export const up = quickCommand('up', {
  usage: '[--implementation PROGRAM] INTERFACE|FILE',
  about: `
Makes the interface, gives it keys and peers, addresses, name servers and routes from its file, and runs the PreUp and
PostUp commands. If anything goes wrong, or on Ctrl-C, everything that was done is undone.

INTERFACE stands for the file /etc/wireguard/INTERFACE.conf; a FILE elsewhere is called INTERFACE.conf, too.
`,
  words: [TARGET],
  options: {
    implementation: {
      type: 'string',
      value: 'PROGRAM',
      about: 'make the interface with another userspace WireGuard than wiretyped',
      choices: ['wiretyped', 'wireguard-go'],
    },
  },
  environment: {
    WG_QUICK_USERSPACE_IMPLEMENTATION: 'the same as --implementation',
  },
  examples: ['wiretype up wg0', 'wiretype up ./office.conf', 'wiretype up --implementation wireguard-go wg0'],
});
