import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { DemoHost } from './demo-host.js';

const PROGRAM = fileURLToPath(new URL('./transfer-program.js', import.meta.url));
const PORT = 5_201;

export interface TransferOptions {
  readonly from: DemoHost;
  readonly to: DemoHost;
  /** The address of the receiver. */
  readonly address: string;
  /** 0: until the hosts are closed. */
  readonly seconds: number;
  /** Bytes per second; 0: as many as possible. */
  readonly rate: number;
}

/** How a transfer ended. */
export interface TransferResult {
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

/**
 * Moves data over one TCP connection between two hosts.
 *
 * @param onProgress Receives the number of arrived bytes twice a second.
 */
export async function transfer(
  options: TransferOptions,
  onProgress: (receivedBytes: number) => void,
): Promise<TransferResult> {
  const { from, to, address, seconds, rate } = options;
  const receiver = to.start(process.execPath, PROGRAM, 'receive', String(PORT));
  const isListening = Promise.race([once(receiver.stdout!, 'data'), once(receiver, 'exit')]);
  const received = readNumbers(receiver, onProgress);
  await isListening;

  const sender = from.start(process.execPath, PROGRAM, 'send', address, String(PORT), String(seconds), String(rate));
  const sentBytes = await readNumbers(sender, () => {});
  return { sentBytes, receivedBytes: await received };
}

/** Reads one number per line, until the program ends. @returns The last one. */
async function readNumbers(program: ChildProcess, onNumber: (value: number) => void): Promise<number> {
  let last = 0;
  for await (const line of createInterface({ input: program.stdout! })) {
    if (!/^[0-9]+$/.test(line)) continue;
    last = Number(line);
    onNumber(last);
  }
  return last;
}
