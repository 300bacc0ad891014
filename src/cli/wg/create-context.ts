import { setTimeout as sleep } from 'node:timers/promises';

import type { CommandIo } from '../command.js';
import type { WgContext } from './wg-context.js';

const SOCKET_DIRECTORY = '/var/run/wireguard';

/** The parts of the process that tests replace. */
export type WgSurroundings = Partial<Omit<WgContext, 'io' | 'isStock'>> & {
  readonly env?: Readonly<Record<string, string | undefined>>;
};

/** Creates the context of a command of `wg` from the `io` that every command gets. */
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
      readInput: (maxBytes) => io.readInput(maxBytes),
      write: (text) => io.write(text),
      deliver: (text) => io.deliver(text),
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
