import type { CommandEntry } from './command.js';
import { DEVICE_COMMANDS } from './device/device-commands.js';
import { SETUP_COMMANDS } from './setup/setup-commands.js';

/** All subcommands of `wiretype`, in the order in which `--help` lists them. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'up',
    summary: 'Bring an interface up from its file',
    load: async () => (await import('./quick/commands/up.js')).up,
  },
  {
    name: 'down',
    summary: 'Take an interface down',
    load: async () => (await import('./quick/commands/down.js')).down,
  },
  {
    name: 'reload',
    summary: 'Apply changes of the file to the running interface',
    load: async () => (await import('./quick/commands/reload.js')).reload,
  },
  {
    name: 'save',
    summary: 'Save the state of a running interface to its file',
    load: async () => (await import('./quick/commands/save.js')).save,
  },
  {
    name: 'strip',
    summary: 'Print a file without the keys of wg-quick',
    load: async () => (await import('./quick/commands/strip.js')).strip,
  },
  {
    name: 'check',
    summary: 'Check a file, and show all of its errors',
    load: async () => (await import('./quick/commands/check.js')).check,
  },
  {
    name: 'explain',
    summary: 'Explain why a peer does not answer',
    load: async () => (await import('./explain/explain-command.js')).explain,
  },
  {
    name: 'reresolve',
    summary: 'Resolve the endpoint names of silent peers again',
    load: async () => (await import('./quick/commands/reresolve.js')).reresolve,
  },
  ...SETUP_COMMANDS,
  {
    name: 'proxy',
    summary: 'Use a WireGuard network without root: SOCKS5, HTTP, forwards',
    load: async () => (await import('./proxy/proxy-command.js')).proxy,
  },
  {
    name: 'gateway',
    summary: 'Run a VPN server without root, with a web page',
    load: async () => (await import('./gateway/gateway-command.js')).gateway,
  },
  {
    name: 'hub',
    summary: 'Run the hub of a mesh: hosts behind NAT find each other by it',
    load: async () => (await import('./mesh/hub-command.js')).hub,
  },
  {
    name: 'mesh',
    summary: 'Join this host to a mesh, and run its agent',
    load: async () => (await import('./mesh/mesh-command.js')).mesh,
  },
  {
    name: 'carry',
    summary: 'Carry a WireGuard peer to a hub where UDP is blocked',
    load: async () => (await import('./mesh/carry-command.js')).carry,
  },
  ...DEVICE_COMMANDS,
  {
    name: 'completion',
    summary: 'Print the completion script for your shell',
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
    summary: 'Connect two network namespaces by a tunnel, and show it',
    load: async () => (await import('./demo/demo.js')).demo,
  },
];
