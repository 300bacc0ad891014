import type { Host } from '../../test/lab/namespace.js';

const MARGIN_MS = 30_000;
const DEFAULT_PORT = 5_201;
/** Where a second, the shortest time that iperf3 knows, is too long. */
const SHORT_TRANSFER = '2M';

export interface StreamOptions {
  /** A whole number, or less than 1: then only a few megabytes are moved. */
  readonly seconds: number;
  /** Streams at once; default 1. */
  readonly streams?: number;
  /** From the server to the client. */
  readonly isReverse?: boolean;
  /** Ports of the server, for several at once. */
  readonly port?: number;
}

/** TCP by iperf3 from `client` to `address` of `server`. @returns Gbit/s that arrived. */
export async function tcp(client: Host, server: Host, address: string, options: StreamOptions): Promise<number> {
  const port = String(options.port ?? DEFAULT_PORT);
  const listener = server.start('iperf3', ['-s', '-1', '-B', address, '-p', port, '--forceflush']);
  try {
    await listener.says(/Server listening/);
    const words = ['-c', address, '-p', port, '--json', '--connect-timeout', '20000'];
    words.push(...(options.seconds < 1 ? ['-n', SHORT_TRANSFER] : ['-t', String(Math.round(options.seconds))]));
    if (options.streams !== undefined) words.push('-P', String(options.streams));
    if (options.isReverse === true) words.push('-R');
    const timeoutMs = options.seconds * 1_000 + MARGIN_MS;
    const { stdout, stderr } = await client.attempt('iperf3', words, { timeoutMs });
    return bitsPerSecond(stdout, stderr) / 1e9;
  } finally {
    await listener.stop();
  }
}

function bitsPerSecond(stdout: string, stderr: string): number {
  let report: { error?: string; end?: { sum_received?: { bits_per_second?: number } } };
  try {
    report = JSON.parse(stdout);
  } catch (cause) {
    throw new Error(`iperf3 gave no report: ${stdout.slice(0, 200)} ${stderr}`, { cause });
  }
  const bits = report.end?.sum_received?.bits_per_second;
  if (bits === undefined || !(bits > 0)) throw new Error(`iperf3: ${report.error ?? 'nothing arrived'}`);
  return bits;
}
