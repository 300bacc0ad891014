import { closeSync, fstatSync } from 'node:fs';
import type { CommandIo } from './command.js';
import { standardError, standardOutput } from './output-stream.js';
import { standardStream } from './standard-stream.js';
import { readTerminalKeys } from './terminal-keys.js';

/** Exit status of a program whose reader went away, as a shell shows the end by SIGPIPE. */
const NO_READER_STATUS = 141;
/** A terminal of unknown width, such as a serial line, reports 0 columns. */
const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;
const STANDARD_DESCRIPTORS = [0, 1, 2];
/** Major number of /dev/null and its like. */
const MEMORY_DEVICES = 1;

export interface ProcessIoOptions {
  /** First word of messages. */
  readonly program: string;
  /** Ends with the command's own status, silently, when standard output takes no more (a full disk). */
  readonly ignoresFullOutput?: boolean;
}

/**
 * Creates the commands' view of the running process. Must be called only once per process.
 *
 * A stream that fails never ends the process: the command finishes its work, or undoes it, and what it writes
 * from then on is dropped. Afterwards the exit status is 141 where the reader of standard output is gone,
 * and 1 with a line on standard error where standard output could not be written for another reason.
 */
export function createProcessIo({ program, ignoresFullOutput = false }: ProcessIoOptions): CommandIo {
  const enders = new Set<() => void>();
  standardOutput.onFailure = ({ message }) => {
    for (const end of enders) end();
    if (!standardOutput.hasReader || ignoresFullOutput) return;
    standardError.write(
      `${program}: standard output cannot be written: ${message.replace(/^E[A-Z]+: |, write$/g, '')}\n`,
    );
  };
  process.once('exit', (status) => {
    if (standardOutput.isFailed && status === 0) process.exitCode = failedStatus(ignoresFullOutput);
    closeLostTerminals();
  });
  return {
    readInput,
    write: (words) => standardOutput.write(words),
    deliver: (words) => standardOutput.deliver(words),
    writeError: (words) => standardError.write(words),
    get columns() {
      return process.stdout.isTTY ? process.stdout.columns || DEFAULT_COLUMNS : undefined;
    },
    get rows() {
      return process.stdout.isTTY ? process.stdout.rows || DEFAULT_ROWS : undefined;
    },
    isDumb: process.env['TERM'] === 'dumb',
    get readKeys() {
      return process.stdin.isTTY && process.stdout.isTTY ? readTerminalKeys : undefined;
    },
    stream: () => standardStream(),
    interruption(onHangup) {
      const controller = new AbortController();
      const abort = () => controller.abort();
      const terminals = STANDARD_DESCRIPTORS.filter(isTerminal);
      const hangUp = () => (onHangup !== undefined && terminals.every(isTerminal) ? onHangup() : abort());
      // The handlers stay: a second Ctrl-C does not cut short the work that the first one started.
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, abort);
      process.on('SIGHUP', hangUp);
      enders.add(abort);
      if (standardOutput.isFailed) abort();
      return controller.signal;
    },
  };
}

/** Reads standard input; a directory or a closed descriptor counts as its end. */
async function readInput(maxBytes: number): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let left = maxBytes;
  try {
    for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
      chunks.push(chunk.subarray(0, left));
      left -= chunk.length;
      if (left <= 0) break;
    }
  } catch (error) {
    if (!(error instanceof Error) || !('syscall' in error)) throw error;
  }
  const input = Buffer.concat(chunks);
  for (const chunk of chunks) chunk.fill(0);
  return input;
}

function failedStatus(ignoresFullOutput: boolean): number {
  if (!standardOutput.hasReader) return NO_READER_STATUS;
  return ignoresFullOutput ? 0 : 1;
}

/**
 * Closes standard descriptors whose terminal has hung up: Node restores the settings of terminals at its
 * end, and aborts where the system refuses that.
 */
function closeLostTerminals(): void {
  for (const descriptor of STANDARD_DESCRIPTORS.filter(isForeignDevice)) {
    if (!isTerminal(descriptor)) closeSync(descriptor);
  }
}

function isTerminal(descriptor: number): boolean {
  return process.getBuiltinModule('node:tty').isatty(descriptor);
}

function isForeignDevice(descriptor: number): boolean {
  try {
    const file = fstatSync(descriptor);
    return file.isCharacterDevice() && file.rdev >> 8 !== MEMORY_DEVICES;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false; // already closed
    throw error;
  }
}
