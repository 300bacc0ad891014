/** Traffic through a tunnel, and whether it arrived: ping, TCP and UDP by iperf3, a file by socat. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Lab } from './lab.js';
import type { Host } from './namespace.js';
import { waitFor } from './wait.js';

/** How long one echo request may take where an answer has to come: handshakes that are lost are repeated meanwhile. */
const PATIENCE_SECONDS = 30;

export interface PingOptions {
  readonly count?: number;
  /** Bytes of payload. */
  readonly size?: number;
  readonly source?: string;
  /** The TOS byte or traffic class. */
  readonly trafficClass?: number;
}

export interface PingResult {
  readonly sent: number;
  readonly received: number;
  readonly output: string;
}

/** Sends echo requests, ten a second, waits for a second after the last, and counts the answers. */
export async function ping(from: Host, address: string, options: PingOptions = {}): Promise<PingResult> {
  return await pingFor(from, address, 1, options);
}

/** Every echo request must be answered, however long it takes. The next is sent when the one before is answered. */
export async function assertPings(from: Host, address: string, options: PingOptions = {}): Promise<void> {
  // ping(8) waits for its last answer only twice as long as for the slowest of those before, so that each is a program.
  for (let left = options.count ?? 2; left > 0; left--) {
    const { received, output } = await pingFor(from, address, PATIENCE_SECONDS, { ...options, count: 1 });
    assert.equal(received, 1, `${from.namespace} should reach ${address}\n${output}`);
  }
}

/** Sends echo requests until one is answered: for a way that has just been made, where the first packets may be lost. */
export async function pingUntilAnswered(from: Host, address: string): Promise<void> {
  await waitFor(`${from.namespace} to reach ${address}`, async () => (await ping(from, address)).received > 0);
}

async function pingFor(from: Host, address: string, seconds: number, options: PingOptions): Promise<PingResult> {
  const args = ['-n', '-q', '-c', String(options.count ?? 2), '-i', '0.1', '-W', String(seconds)];
  if (options.size !== undefined) args.push('-s', String(options.size));
  if (options.source !== undefined) args.push('-I', options.source);
  if (options.trafficClass !== undefined) args.push('-Q', String(options.trafficClass));
  const { stdout, stderr } = await from.attempt('ping', [...args, address]);
  const counts = /(\d+) packets transmitted, (\d+) received/.exec(stdout);
  return { sent: Number(counts?.[1] ?? 0), received: Number(counts?.[2] ?? 0), output: stdout + stderr };
}

/** No echo request may be answered. */
export async function assertNoPing(from: Host, address: string, options: PingOptions = {}): Promise<void> {
  const { received, output } = await ping(from, address, options);
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

/** The buffer size of iperf3's sockets: when the sender is done, less than four of it are on the way. */
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
  await from.run('socat', ['-u', `OPEN:${sentPath}`, `TCP${family}:${host}:7000`], { timeoutMs: 300_000 });
  assert.equal(await listener.exited, 0, listener.stderr);
  assert.equal(digest(arrivedPath), digest(sentPath), 'what arrived is what was sent');
}

function digest(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}
