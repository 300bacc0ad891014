import type { Host } from '../../test/lab/namespace.js';
import { datagramsTool } from '../tools.js';

const PORT = 7_100;
const MARGIN_MS = 30_000;

export interface FloodOptions {
  /** Bytes of UDP payload. */
  readonly bytes: number;
  /** 0: as many as possible. */
  readonly perSecond: number;
  readonly seconds: number;
}

/** Sends UDP datagrams from one host to another. @returns How many a second were sent, and how many arrived. */
export async function flood(
  from: Host,
  to: Host,
  address: string,
  options: FloodOptions,
): Promise<{ sentPerSecond: number; arrivedPerSecond: number }> {
  const tool = await datagramsTool();
  const { bytes, perSecond, seconds } = options;
  const counter = to.start(tool, ['count', String(PORT)]);
  await counter.says(/counting/);
  const words = ['send', address, String(PORT), String(bytes), String(perSecond), String(seconds)];
  const sent = Number(await from.run(tool, words, { timeoutMs: seconds * 1_000 + MARGIN_MS }));
  await counter.stop();
  const [arrived, duration] = (counter.stdout.split('\n')[1] ?? '').split(' ').map(Number);
  if (arrived === undefined || duration === undefined || !(arrived > 0)) throw new Error('no datagram arrived');
  return { sentPerSecond: sent / seconds, arrivedPerSecond: arrived / Math.max(duration, seconds) };
}
