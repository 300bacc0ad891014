import { TARGET } from '../../manual.js';
import { quickCommand } from './quick-command.js';

/** Sets an interface up from its file. */
export const up = quickCommand('up', {
  usage: '[--implementation HOW] INTERFACE|FILE',
  about: `
Makes the interface, gives it keys and peers, addresses, name servers and routes from its file, and runs the PreUp and
PostUp commands. If anything goes wrong, or on Ctrl-C, everything that was done is undone.

INTERFACE stands for the file /etc/wireguard/INTERFACE.conf; a FILE elsewhere is called INTERFACE.conf, too.
`,
  words: [TARGET],
  options: {
    implementation: {
      type: 'string',
      value: 'HOW',
      about: 'the implementation to use: kernel, auto (the kernel if it has WireGuard, else wiretyped), or a program',
      choices: ['wiretyped', 'kernel', 'auto', 'wireguard-go'],
    },
  },
  environment: {
    WIRETYPE_IMPLEMENTATION: 'the same as --implementation',
    WG_QUICK_USERSPACE_IMPLEMENTATION: 'a program in place of wiretyped; sudo does not pass it on',
  },
  examples: ['wiretype up wg0', 'wiretype up ./office.conf', 'wiretype up --implementation kernel wg0'],
});
