import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

import type { EchoFlow, EchoSender, OutgoingEcho } from './echo-sender.js';

const MAX_AT_ONCE = 8;
const MIN_INTERVAL_MS = 1_000;
const PATIENCE_SECONDS = 2;
/** `ping` fills bytes of its own choice in front of the rest: smaller ones have no time stamp, which nobody misses. */
const MAX_DATA_BYTES = 1_400;

/** Echoes by the `ping` program, which the system allows to send them: one process for each, so not many. */
export class ProgramEchoes implements EchoSender {
  readonly #path: string;
  #running = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** Finds the program. @returns `undefined`: it is not installed. */
  static find(): string | undefined {
    const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/bin', '/usr/bin', '/sbin'];
    return folders.map((folder) => join(folder, 'ping')).find(isExecutable);
  }

  open(_family: 4 | 6, onReply: (sequence: number, data: Uint8Array) => void): EchoFlow {
    let lastMs = -Infinity;
    let isClosed = false;
    return {
      send: (echo) => {
        const nowMs = performance.now();
        if (this.#running >= MAX_AT_ONCE || nowMs - lastMs < MIN_INTERVAL_MS) return;
        lastMs = nowMs;
        this.#run(echo, () => {
          if (!isClosed) onReply(echo.sequence, echo.data);
        });
      },
      close: () => {
        isClosed = true;
      },
    };
  }

  #run({ target, data }: OutgoingEcho, onReply: () => void): void {
    const size = String(Math.min(data.length, MAX_DATA_BYTES));
    const args = ['-n', '-c', '1', '-W', String(PATIENCE_SECONDS), '-s', size, '--', target];
    this.#running++;
    execFile(this.#path, args, { timeout: 2_000 * PATIENCE_SECONDS }, (error) => {
      this.#running--;
      if (error === null) onReply();
    });
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
