/** Traffic through a tunnel, and whether it arrived: ping, TCP and UDP by iperf3, a file by socat. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Lab } from './lab.js';
import type { Host } from './namespace.js';
import { waitFor } from './wait.js';

export interface PingOptions {
  readonly count?: number;
  /** Bytes of payload. */
  readonly size?: number;
  readonly source?: string;
  /** The TOS byte or traffic class. */
  readonly trafficClass?: number;
  /** How long to wait for the last answer, whole seconds. */
  readonly waitSeconds?: number;
}

export interface PingResult {
  readonly sent: number;
  readonly received: number;
  readonly output: string;
}

/** Sends echo requests, ten a second, and counts the answers. */
export async function ping(from: Host, address: string, options: PingOptions = {}): Promise<PingResult> {
  const { count = 2, waitSeconds = 5 } = options;
  const args = ['-n', '-q', '-c', String(count), '-i', '0.1', '-W', String(waitSeconds)];
  if (options.size !== undefined) args.push('-s', String(options.size));
  if (options.source !== undefined) args.push('-I', options.source);
  if (options.trafficClass !== undefined) args.push('-Q', String(options.trafficClass));
  const { stdout, stderr } = await from.attempt('ping', [...args, address]);
  const counts = /(\d+) packets transmitted, (\d+) received/.exec(stdout);
  return { sent: Number(counts?.[1] ?? 0), received: Number(counts?.[2] ?? 0), output: stdout + stderr };
}

/** Every echo request must be answered. */
export async function assertPings(from: Host, address: string, options: PingOptions = {}): Promise<void> {
  const { sent, received, output } = await ping(from, address, options);
  assert.ok(sent > 0 && received === sent, `${from.namespace} should reach ${address}\n${output}`);
}

/** No echo request may be answered. */
export async function assertNoPing(from: Host, address: string, options: PingOptions = {}): Promise<void> {
  const { received, output } = await ping(from, address, { waitSeconds: 1, ...options });
  assert.equal(received, 0, `${from.namespace} should not reach ${address}\n${output}`);
}

export interface TransferOptions {
  readonly bytes?: number;
  /** From the server to the client. */
  readonly isReverse?: boolean;
  readonly isUdp?: boolean;
  /** Bytes of payload of one UDP datagram. */
  readonly datagramBytes?: number;
}

/** What iperf3 gives the sender's and the receiver's socket: when the sender is done, less than four of it are on the way. */
const WINDOW = '128K';

/**
 * Moves bytes with iperf3 and returns how many arrived, and the share of datagrams lost, in percent.
 *
 * iperf3 counts what has arrived when the sender is done, so that of a stream the last 512 KB may be missing.
 */
export async function transfer(
  client: Host,
  server: Host,
  address: string,
  options: TransferOptions = {},
): Promise<{ arrivedBytes: number; lostPercent: number }> {
  const listener = server.start('iperf3', ['-s', '-1', '-B', address, '--forceflush']);
  await listener.says(/Server listening/);
  const args = ['-c', address, '--json', '--connect-timeout', '5000', '-n', String(options.bytes ?? 4_000_000)];
  if (options.isReverse === true) args.push('-R');
  args.push(...(options.isUdp === true ? ['-u', '-b', '5M'] : ['-w', WINDOW]));
  if (options.datagramBytes !== undefined) args.push('-l', String(options.datagramBytes));
  const { stdout } = await client.attempt('iperf3', args);
  await listener.stop();
  const report = JSON.parse(stdout);
  if (report.error !== undefined) throw new Error(`iperf3 from ${client.namespace} to ${address}: ${report.error}`);
  const { sum_received: tcp, sum: udp } = report.end;
  if (options.isUdp !== true) return { arrivedBytes: tcp.bytes, lostPercent: 0 };
  return { arrivedBytes: udp.bytes, lostPercent: udp.lost_percent };
}

/** Sends a file of random bytes through TCP and compares what arrived. */
export async function assertArrivesWhole(
  lab: Lab,
  from: Host,
  to: Host,
  address: string,
  bytes: number,
): Promise<void> {
  const sentPath = join(lab.folder, 'sent');
  const arrivedPath = join(lab.folder, 'arrived');
  writeFileSync(sentPath, randomBytes(bytes));
  const family = address.includes(':') ? '6' : '4';
  const host = address.includes(':') ? `[${address}]` : address;
  const listener = to.start('socat', [
    '-u',
    `TCP${family}-LISTEN:7000,bind=${host}`,
    `OPEN:${arrivedPath},creat,trunc`,
  ]);
  await waitFor('the receiver to listen', async () => (await to.run('ss', ['-tlnH', 'sport = :7000'])) !== '');
  await from.run('socat', ['-u', `OPEN:${sentPath}`, `TCP${family}:${host}:7000`], { timeoutMs: 60_000 });
  assert.equal(await listener.exited, 0, listener.stderr);
  assert.equal(digest(arrivedPath), digest(sentPath), 'what arrived is what was sent');
}

function digest(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}
