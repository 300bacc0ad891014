import type { Host } from '../../test/lab/namespace.js';

const MARGIN_MS = 30_000;
const PROBE_INTERVAL_MS = 1;

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

/**
 * The longest time, in milliseconds, in which nothing got through: echo requests go to and fro once a millisecond.
 * Those that are lost count as time in which nothing did.
 */
export async function longestStop(from: Host, address: string, seconds: number): Promise<number> {
  const count = Math.round((seconds * 1_000) / PROBE_INTERVAL_MS);
  const times = await roundTrips(from, address, { count, intervalSeconds: PROBE_INTERVAL_MS / 1_000 });
  return Math.max(...times, (count - times.length) * PROBE_INTERVAL_MS);
}
