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
    summary: 'Print a running interface as a configuration file',
    load: async () => (await import('./showconf-command.js')).showconf,
  },
  {
    name: 'set',
    summary: 'Change a running interface or its peers',
    load: async () => (await import('./set-command.js')).set,
  },
  {
    name: 'setconf',
    summary: 'Replace the configuration of a running interface',
    load: async () => (await import('./setconf-command.js')).confCommand('setconf'),
  },
  {
    name: 'addconf',
    summary: 'Add the peers and keys of a file to a running interface',
    load: async () => (await import('./setconf-command.js')).confCommand('addconf'),
  },
  {
    name: 'syncconf',
    summary: 'Like setconf, but keep sessions that do not change',
    load: async () => (await import('./setconf-command.js')).confCommand('syncconf'),
  },
  {
    name: 'genkey',
    summary: 'Generate a private key',
    load: async () => (await import('./key-commands.js')).genkey,
  },
  {
    name: 'genpsk',
    summary: 'Generate a preshared key',
    load: async () => (await import('./key-commands.js')).genpsk,
  },
  {
    name: 'pubkey',
    summary: 'Print the public key of a private key',
    load: async () => (await import('./key-commands.js')).pubkey,
  },
];
