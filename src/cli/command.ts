import type { Manual } from './manual.js';

/** One subcommand. Commands touch the outside world through `io` only, so that tests need no process. */
export interface Command {
  readonly name: string;
  readonly manual: Manual;
  /**
   * @returns The exit status; nothing means 0.
   * @throws {WireGuardError} `main` makes a message and an exit status of it.
   */
  run(args: readonly string[], io: CommandIo): Promise<number | void>;
}

/** A command in the table: its code is loaded when it is called, since loading all would cost more than the start of Node. */
export interface CommandEntry {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  load(): Promise<Command>;
}

export interface CommandIo {
  /** All of standard input as text. */
  readInput(): Promise<string>;
  write(text: string): void;
  writeError(text: string): void;
  /** Width of the terminal that standard output is; `undefined` when it is none. */
  readonly columns: number | undefined;
  /** Aborted by Ctrl-C or SIGTERM. A command that runs on watches it; one that does not ask ends at once. */
  interruption(): AbortSignal;
}
