import type { DeviceCommand } from '../../../src/cli/device/device-command.js';
import { createContext } from '../../../src/cli/wg/create-context.js';
import { WireGuardError } from '../../../src/core/errors.js';

export interface CommandOutcome {
  readonly status: number;
  readonly out: string;
  readonly err: string;
  readonly code: string | undefined;
  readonly message: string | undefined;
}

export interface Surroundings {
  readonly env?: Readonly<Record<string, string>>;
  readonly unixTimeMs?: () => number;
  readonly columns?: number;
  readonly rows?: number;
  /** Receives the function that presses a key. */
  readonly onKeyboard?: (press: (key: string) => void) => void;
  readonly configDirectory?: string;
  readonly input?: string;
  /** Standard output takes nothing. */
  readonly isOutputLost?: boolean;
  /** Called instead of waiting. */
  readonly onSleep?: (ms: number) => void;
}

/** Runs a command of `wiretype` against the sockets of a directory. */
export async function runCommand(
  command: DeviceCommand,
  directory: string,
  args: readonly string[],
  surroundings: Surroundings = {},
): Promise<CommandOutcome> {
  const said = { out: '', err: '' };
  const io = {
    readInput: async () => surroundings.input ?? '',
    write(text: string) {
      said.out += text;
    },
    async deliver(text: string) {
      if (surroundings.isOutputLost !== true) said.out += text;
      return surroundings.isOutputLost !== true;
    },
    writeError(text: string) {
      said.err += text;
    },
    columns: surroundings.columns,
    rows: surroundings.rows,
    readKeys:
      surroundings.onKeyboard &&
      ((listener: (key: string) => void) => {
        surroundings.onKeyboard!(listener);
        return () => {};
      }),
    interruption: () => new AbortController().signal,
  };
  const context = createContext(io, false, {
    env: surroundings.env ?? {},
    socketDirectory: directory,
    configDirectory: surroundings.configDirectory ?? directory,
    unixTimeMs: surroundings.unixTimeMs ?? (() => 0),
    sleep: async (ms) => surroundings.onSleep?.(ms),
  });
  try {
    const status = (await command.runIn(context, args)) ?? 0;
    return { ...said, status, code: undefined, message: undefined };
  } catch (error) {
    if (!(error instanceof WireGuardError)) throw error;
    return { ...said, status: 1, code: error.code, message: error.message };
  }
}
