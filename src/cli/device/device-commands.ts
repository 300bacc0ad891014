import type { CommandEntry } from '../command.js';

/** The commands of `wiretype` that `wg` has as well, and those about running interfaces. */
export const DEVICE_COMMANDS: readonly CommandEntry[] = [
  {
    name: 'show',
    summary: 'Show running interfaces and their peers',
    load: async () => (await import('./show-command.js')).show,
  },
  {
    name: 'watch',
    summary: 'Watch the peers of an interface: rates, handshakes, hints',
    load: async () => (await import('./watch-command.js')).watch,
  },
  {
    name: 'metrics',
    summary: 'Write or serve the counters of interfaces for Prometheus',
    load: async () => (await import('./metrics-command.js')).metrics,
  },
  {
    name: 'showconf',
    summary: 'Write a running interface as a configuration file',
    load: async () => (await import('./showconf-command.js')).showconf,
  },
  {
    name: 'set',
    summary: 'Change a running interface or its peers',
    load: async () => (await import('./set-command.js')).set,
  },
  {
    name: 'setconf',
    summary: 'Make a running interface what a file says',
    load: async () => (await import('./setconf-command.js')).confCommand('setconf'),
  },
  {
    name: 'addconf',
    summary: 'Add what a file says to a running interface',
    load: async () => (await import('./setconf-command.js')).confCommand('addconf'),
  },
  {
    name: 'syncconf',
    summary: 'Make a running interface what a file says, keeping sessions',
    load: async () => (await import('./setconf-command.js')).confCommand('syncconf'),
  },
  {
    name: 'genkey',
    summary: 'Write a new private key',
    load: async () => (await import('./key-commands.js')).genkey,
  },
  {
    name: 'genpsk',
    summary: 'Write a new preshared key',
    load: async () => (await import('./key-commands.js')).genpsk,
  },
  {
    name: 'pubkey',
    summary: 'Write the public key of a private key',
    load: async () => (await import('./key-commands.js')).pubkey,
  },
];
