import type { CommandEntry } from './command.js';

/** All subcommands of `wiretype`, in the order in which `--help` lists them. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'demo',
    summary: 'Join two network namespaces by a tunnel and show it at work',
    load: async () => (await import('./demo/demo.js')).demo,
  },
];
