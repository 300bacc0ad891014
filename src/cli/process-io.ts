import { text } from 'node:stream/consumers';
import type { CommandIo } from './command.js';

/** The running process as commands see it. */
export const processIo: CommandIo = {
  readInput: () => text(process.stdin),
  write: (output) => void process.stdout.write(output),
  writeError: (output) => void process.stderr.write(output),
  get columns() {
    return process.stdout.isTTY ? process.stdout.columns : undefined;
  },
  interruption() {
    const controller = new AbortController();
    const abort = () => controller.abort();
    // For good: a second Ctrl-C does not cut short what the first one set off.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, abort);
    return controller.signal;
  },
};
