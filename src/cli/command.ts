import type { Duplex } from 'node:stream';

import type { Manual } from './manual.js';

/** One subcommand. Commands touch the outside world through `io` only, so that tests need no process. */
export interface Command {
  readonly name: string;
  readonly manual: Manual;
  /**
   * @returns The exit status; nothing means 0.
   * @throws {WireGuardError} `main` turns it into a message and an exit status.
   */
  run(args: readonly string[], io: CommandIo): Promise<number | void>;
}

/** A command in the table, whose code is loaded by its call: loading all would cost more than the start of Node. */
export interface CommandEntry {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** The command changes files and interfaces together: once started, signals do not end it halfway. */
  readonly isFinishedOnSignal?: boolean;
  load(): Promise<Command>;
}

export interface CommandIo {
  /** Reads at most `maxBytes` of standard input; text stands for its UTF-8 bytes. */
  readInput(maxBytes: number): Promise<string | Uint8Array>;
  write(text: string): void;
  /** Writes to standard output, and returns whether the system has taken all of it. */
  deliver(text: string): Promise<boolean>;
  writeError(text: string): void;
  /** Width of the terminal that standard output is; `undefined` when it is none. */
  readonly columns: number | undefined;
  /** Height of that terminal. */
  readonly rows?: number | undefined;
  /** The terminal has neither cursor movements nor colours (`TERM=dumb`). */
  readonly isDumb?: boolean;
  /** Reports keys as they are pressed, until the function that it returns is called. Absent: there is no keyboard. */
  readonly readKeys?: ((listener: (key: string) => void) => () => void) | undefined;
  /**
   * Returns a signal that is aborted by Ctrl-C, SIGTERM, SIGHUP, and when the reader of standard output is gone.
   * After the first call signals no longer end the process.
   *
   * @param onHangup Called by SIGHUP instead, unless the terminal of the process is gone.
   */
  interruption(onHangup?: () => void): AbortSignal;
  /** Returns standard input and output as one stream of bytes, in place of `readInput`, `write` and `deliver`. */
  stream?(): Duplex;
}
