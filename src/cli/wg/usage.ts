import type { WgCommandName } from './wg-commands.js';

const FIELDS =
  'public-key | private-key | listen-port | fwmark | peers | preshared-keys | endpoints | allowed-ips | ' +
  'latest-handshakes | transfer | persistent-keepalive | dump';

/** The arguments of each command of `wg`. */
const ARGUMENTS = {
  show: ` { <interface> | all | interfaces } [${FIELDS}]`,
  showconf: ' <interface>',
  set:
    ' <interface> [listen-port <port>] [fwmark <mark>] [private-key <file path>] [peer <base64 public key> [remove] ' +
    '[preshared-key <file path>] [endpoint <ip>:<port>] [persistent-keepalive <interval seconds>] ' +
    '[allowed-ips [+|-]<ip1>/<cidr1>[,[+|-]<ip2>/<cidr2>]...] ]...',
  setconf: ' <interface> <configuration filename>',
  addconf: ' <interface> <configuration filename>',
  syncconf: ' <interface> <configuration filename>',
  genkey: '',
  genpsk: '',
  pubkey: '',
} satisfies Record<WgCommandName, string>;

/** The summary of each command in `wg --help`. */
const SUMMARIES: Readonly<Record<WgCommandName, string>> = {
  show: 'Shows the current configuration and device information',
  showconf: "Shows the current configuration of a given WireGuard interface, for use with `setconf'",
  set: 'Change the current configuration, add peers, remove peers, or change peers',
  setconf: 'Applies a configuration file to a WireGuard interface',
  addconf: 'Appends a configuration file to a WireGuard interface',
  syncconf: 'Synchronizes a configuration file to a WireGuard interface',
  genkey: 'Generates a new private key and writes it to stdout',
  genpsk: 'Generates a new preshared key and writes it to stdout',
  pubkey: 'Reads a private key from stdin and writes a public key to stdout',
};

/** Returns the one line that `wg` writes when a command is called in the wrong way. */
export function usageLine(program: string, name: WgCommandName): string {
  return `Usage: ${program} ${name}${ARGUMENTS[name]}\n`;
}

/** Returns the list of commands. */
export function usageList(program: string): string {
  const commands = Object.entries(SUMMARIES).map(([name, summary]) => `  ${name}: ${summary}\n`);
  return (
    `Usage: ${program} <cmd> [<args>]\n\nAvailable subcommands:\n${commands.join('')}` +
    "You may pass `--help' to any of these subcommands to view usage.\n"
  );
}
