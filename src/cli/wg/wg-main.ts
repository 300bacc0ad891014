import type { CommandIo } from '../command.js';
import { createContext, type WgSurroundings } from './create-context.js';
import { isWgCommand, type WgCommandName } from './wg-commands.js';
import { type WgContext, WgFailure } from './wg-context.js';

/** The release whose behaviour the name `wg` stands for. */
const VERSION = 'wireguard-tools v1.0.20260223 - https://git.zx2c4.com/wireguard-tools/';

/** The number of words after each command; other commands take any number. */
const ARGUMENT_COUNTS: Partial<Record<WgCommandName, number>> = {
  showconf: 1,
  setconf: 2,
  addconf: 2,
  syncconf: 2,
  genkey: 0,
  genpsk: 0,
  pubkey: 0,
};

/**
 * Runs the program `wg`, as which a link of that name calls `wiretype`.
 *
 * @param argv The words after the program's name.
 * @returns Exit status, 0 or 1.
 */
export async function wgMain(
  argv: readonly string[],
  io: CommandIo,
  surroundings: WgSurroundings = {},
): Promise<0 | 1> {
  const context = createContext(io, true, surroundings);
  const [name = 'show', ...args] = argv;
  if (args.length === 0 && ['-h', '--help', 'help'].includes(name)) {
    io.write((await import('./usage.js')).usageList(context.program));
    return 0;
  }
  if (args.length === 0 && ['-v', '--version', 'version'].includes(name)) {
    io.write(`${VERSION}\n`);
    return 0;
  }
  if (!isWgCommand(name)) {
    const { usageList } = await import('./usage.js');
    io.writeError(`Invalid subcommand: \`${name}'\n${usageList(context.program)}`);
    return 1;
  }
  return await runOrFail(context, name, args);
}

async function runOrFail(context: WgContext, name: WgCommandName, args: readonly string[]): Promise<0 | 1> {
  try {
    return await runWgCommand(context, name, args);
  } catch (error) {
    if (!(error instanceof WgFailure)) throw error;
    context.io.writeError(`${error.message}\n`);
    return 1;
  }
}

/** Runs one command; its code is loaded only now. @throws {WgFailure} */
async function runWgCommand(context: WgContext, name: WgCommandName, args: readonly string[]): Promise<0 | 1> {
  const count = ARGUMENT_COUNTS[name];
  if ((count !== undefined && args.length !== count) || (name === 'set' && args.length < 2)) {
    const { usageLine } = await import('./usage.js');
    throw new WgFailure(usageLine(context.program, name).trimEnd());
  }
  switch (name) {
    case 'show':
      return await (await import('./show.js')).show(context, args);
    case 'showconf':
      await (await import('./showconf.js')).showconf(context, args[0]!);
      break;
    case 'set':
      await (await import('./change-device.js')).set(context, args);
      break;
    case 'setconf':
    case 'addconf':
    case 'syncconf':
      await (await import('./change-device.js')).setconf(context, name, args[0]!, args[1]!);
      break;
    case 'genkey':
      (await import('./keys.js')).generateKey(context, 'private');
      break;
    case 'genpsk':
      (await import('./keys.js')).generateKey(context, 'preshared');
      break;
    case 'pubkey':
      await (await import('./keys.js')).writePublicKey(context);
      break;
  }
  return 0;
}
