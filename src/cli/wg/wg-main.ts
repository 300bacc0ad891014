import { setTimeout as sleep } from 'node:timers/promises';

import type { CommandIo } from '../command.js';
import { isWgCommand, usageLine, usageList, type WgCommandName } from './usage.js';
import { type WgContext, WgFailure } from './wg-context.js';

/** The release whose behaviour the name `wg` stands for. */
const VERSION = 'wireguard-tools v1.0.20260223 - https://git.zx2c4.com/wireguard-tools/';

const SOCKET_DIRECTORY = '/var/run/wireguard';

/** How many words follow each command; the others take any number. */
const ARGUMENT_COUNTS: Partial<Record<WgCommandName, number>> = {
  showconf: 1,
  setconf: 2,
  addconf: 2,
  syncconf: 2,
  genkey: 0,
  genpsk: 0,
  pubkey: 0,
};

/** What tests put in the place of the process's own. */
export type WgSurroundings = Partial<Omit<WgContext, 'io' | 'isStock'>> & {
  readonly env?: Readonly<Record<string, string | undefined>>;
};

/**
 * The program `wg`: what runs when `wiretype` is called through a link of that name.
 *
 * @param argv What follows the program's name.
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
    io.write(usageList(context.program));
    return 0;
  }
  if (args.length === 0 && ['-v', '--version', 'version'].includes(name)) {
    io.write(`${VERSION}\n`);
    return 0;
  }
  if (!isWgCommand(name)) {
    io.writeError(`Invalid subcommand: \`${name}'\n${usageList(context.program)}`);
    return 1;
  }
  return await runOrFail(context, name, args);
}

/** The world as a command of `wg` sees it, made of what every command gets. */
export function createContext(io: CommandIo, isStock: boolean, surroundings: WgSurroundings = {}): WgContext {
  const { env = process.env, ...rest } = surroundings;
  return {
    io: {
      env,
      get columns() {
        return io.columns;
      },
      get rows() {
        return io.rows;
      },
      isDumb: io.isDumb ?? false,
      get readKeys() {
        return io.readKeys;
      },
      interruption: () => io.interruption(),
      readInput: () => io.readInput(),
      write: (text) => io.write(text),
      writeError: (text) => io.writeError(text),
    },
    program: isStock ? 'wg' : 'wiretype',
    isStock,
    socketDirectory: SOCKET_DIRECTORY,
    kernel: async () => await (await import('../system-kernel.js')).systemKernel(),
    unixTimeMs: Date.now,
    sleep: sleepUnlessAborted,
    ...rest,
  };
}

async function sleepUnlessAborted(ms: number, interruption?: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, interruption === undefined ? {} : { signal: interruption });
  } catch (error) {
    if (interruption?.aborted !== true) throw error;
  }
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
