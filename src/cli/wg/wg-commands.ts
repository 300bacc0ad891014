/** The commands of `wg`, in the order in which its help lists them. */
const WG_COMMANDS = [
  'show',
  'showconf',
  'set',
  'setconf',
  'addconf',
  'syncconf',
  'genkey',
  'genpsk',
  'pubkey',
] as const;

export type WgCommandName = (typeof WG_COMMANDS)[number];

export function isWgCommand(name: string): name is WgCommandName {
  return WG_COMMANDS.some((command) => command === name);
}
