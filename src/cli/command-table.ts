import type { CommandEntry } from './command.js';
import { DEVICE_COMMANDS } from './device/device-commands.js';
import { SETUP_COMMANDS } from './setup/setup-commands.js';

/** All subcommands of `wiretype`, in the order in which `--help` lists them. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'up',
    summary: 'Set up an interface from its file',
    load: async () => (await import('./quick/commands/up.js')).up,
  },
  {
    name: 'down',
    summary: 'Take an interface down',
    load: async () => (await import('./quick/commands/down.js')).down,
  },
  {
    name: 'reload',
    summary: 'Make a running interface equal to its file',
    load: async () => (await import('./quick/commands/reload.js')).reload,
  },
  {
    name: 'save',
    summary: 'Write the state of an interface into its file',
    load: async () => (await import('./quick/commands/save.js')).save,
  },
  {
    name: 'strip',
    summary: 'Print a file without the lines that wg does not know',
    load: async () => (await import('./quick/commands/strip.js')).strip,
  },
  {
    name: 'check',
    summary: 'Find everything that is wrong with a file',
    load: async () => (await import('./quick/commands/check.js')).check,
  },
  {
    name: 'explain',
    summary: 'Say why a peer does not answer',
    load: async () => (await import('./explain/explain-command.js')).explain,
  },
  {
    name: 'reresolve',
    summary: 'Look up the names of silent peers again',
    load: async () => (await import('./quick/commands/reresolve.js')).reresolve,
  },
  ...SETUP_COMMANDS,
  ...DEVICE_COMMANDS,
  {
    name: 'completion',
    summary: 'Write the script that completes words in your shell',
    load: async () => (await import('./completion/completion-command.js')).completionCommand(COMMANDS),
  },
  {
    name: 'install',
    summary: 'Install commands, systemd units, manual pages and completions',
    load: async () => (await import('./install/install-command.js')).install,
  },
  {
    name: 'uninstall',
    summary: 'Remove what install made',
    load: async () => (await import('./install/uninstall-command.js')).uninstall,
  },
  {
    name: 'demo',
    summary: 'Join two network namespaces by a tunnel and show it at work',
    load: async () => (await import('./demo/demo.js')).demo,
  },
];
