import type { Host } from '../../test/lab/namespace.js';

const MARGIN_MS = 5_000;

/** Round-trip times, in milliseconds, of `count` echo requests. Those that are lost are left out. */
export async function roundTrips(
  from: Host,
  address: string,
  options: { readonly count: number; readonly intervalSeconds: number },
): Promise<number[]> {
  const { count, intervalSeconds } = options;
  const words = ['-n', '-i', String(intervalSeconds), '-c', String(count), '-W', '2', address];
  const { stdout } = await from.attempt('ping', words, { timeoutMs: count * intervalSeconds * 1_000 + MARGIN_MS });
  const times = Array.from(stdout.matchAll(/time=([\d.]+) ms/g), ([, time]) => Number(time));
  if (times.length === 0) throw new Error(`no answer from ${address}\n${stdout}`);
  return times;
}
