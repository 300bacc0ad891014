import { text } from 'node:stream/consumers';
import { WireGuardError } from '../../core/errors.js';
import { PLAIN } from '../wg/palette.js';
import { formatBytes } from '../wg/show-units.js';
import { formatBitRate } from './bit-rate.js';
import type { DemoHost } from './demo-host.js';
import { type DemoNetwork, LEFT, RIGHT } from './demo-network.js';
import { DeviceView } from './device-view.js';
import type { Screen } from './screen.js';
import { type TransferResult, transfer } from './transfer.js';

const PINGS = 3;
const PING_INTERVAL_SECONDS = 0.2;
const PING_PATIENCE_SECONDS = 20;
const TRANSFER_SECONDS = 3;
/** The width of the column that names a step: all lines fit into 80 columns. */
const WHAT_WIDTH = 28;
/** Enough to be visible, too little to disturb anything. */
const STEADY_BYTES_PER_SECOND = 256 * 1_024;

const SUMMARY = `
You saw two hosts, joined by a cable, and a WireGuard tunnel over it by two
wiretyped daemons: pings and TCP each way, IPv4 and IPv6, everything encrypted.

Next, a server of your own, and a phone that joins it by a QR code:
  wiretype init wg0 --endpoint YOUR-HOST
  wiretype up wg0
  wiretype add-peer wg0 phone --full --qr
In a checkout the program is bin/wiretype; docs/guides/ has each step.`;

/** The steps of the demo, as they are shown. */
export class DemoShow {
  readonly #network: DemoNetwork;
  readonly #screen: Screen;
  #views: readonly DeviceView[] | undefined;

  constructor(network: DemoNetwork, screen: Screen) {
    this.#network = network;
    this.#screen = screen;
  }

  title(topology: string): void {
    this.#screen.print(topology);
  }

  /** Pings each way over each family. @throws {WireGuardError} ERR_DEMO_TRAFFIC */
  async pings(): Promise<void> {
    const { left, right } = this.#network;
    for (const address of [RIGHT.inner4, RIGHT.inner6]) await this.#ping(left, right, address);
    for (const address of [LEFT.inner4, LEFT.inner6]) await this.#ping(right, left, address);
  }

  /** Moves data each way, with a progress line. @throws {WireGuardError} ERR_DEMO_TRAFFIC */
  async transfers(): Promise<void> {
    const { left, right } = this.#network;
    await this.#transfer(left, right, RIGHT.inner4);
    await this.#transfer(right, left, LEFT.inner6);
    this.#screen.print('');
  }

  /** Shows the state of both ends. */
  async state(): Promise<void> {
    this.#views ??= this.#network.hosts.map((host) => new DeviceView(host));
    const lines = await Promise.all(this.#views.map((view) => view.lines(!this.#screen.isTerminal)));
    this.#screen.update([...lines.flat(), ...(this.#screen.isTerminal ? ['Ctrl-C ends the demo.'] : [])]);
  }

  /** Prints a summary and the next steps. */
  summary(): void {
    this.#screen.print(SUMMARY);
  }

  /** Sends a trickle from left to right from here on, so that the counters move. */
  keepTrafficGoing(): void {
    const { left, right } = this.#network;
    const trickle = { from: left, to: right, address: RIGHT.inner4, seconds: 0, rate: STEADY_BYTES_PER_SECOND };
    void transfer(trickle, () => {});
  }

  async #ping(from: DemoHost, to: DemoHost, address: string): Promise<void> {
    const options = [
      '-q',
      '-c',
      String(PINGS),
      '-i',
      String(PING_INTERVAL_SECONDS),
      '-w',
      String(PING_PATIENCE_SECONDS),
    ];
    const stdout = await text(from.start('ping', ...options, address).stdout!);
    const what = `ping ${direction(from, to)} ${address}`;
    const answered = Number(/(\d+) received/.exec(stdout)?.[1] ?? 0);
    const times = /= ([0-9.]+)\/([0-9.]+)\/([0-9.]+)/.exec(stdout);
    if (answered < PINGS || times === null)
      throw new WireGuardError('ERR_DEMO_TRAFFIC', `${what}: ${answered} of ${PINGS} answered`);
    this.#screen.print(`${what.padEnd(WHAT_WIDTH)} ${PINGS} of ${PINGS} answered, ${times[1]} to ${times[3]} ms`);
  }

  async #transfer(from: DemoHost, to: DemoHost, address: string): Promise<void> {
    const what = `TCP  ${direction(from, to)} ${address}`.padEnd(WHAT_WIDTH);
    const start = performance.now();
    const line = (bytes: number) => {
      const seconds = (performance.now() - start) / 1_000;
      return `${what} ${progressBar(seconds / TRANSFER_SECONDS)} ${formatSize(bytes)}, ${formatBitRate(bytes / seconds)}`;
    };
    const result = await transfer({ from, to, address, seconds: TRANSFER_SECONDS, rate: 0 }, (bytes) =>
      this.#screen.update([line(bytes)]),
    );
    requireAll(what, result);
    if (this.#screen.isTerminal) this.#screen.print(line(result.receivedBytes));
  }
}

function direction(from: DemoHost, to: DemoHost): string {
  return `${from.title} → ${to.title}`;
}

function requireAll(what: string, { sentBytes, receivedBytes }: TransferResult): void {
  if (receivedBytes > 0 && receivedBytes === sentBytes) return;
  throw new WireGuardError('ERR_DEMO_TRAFFIC', `${what.trim()}: ${receivedBytes} of ${sentBytes} bytes arrived`);
}

function progressBar(part: number): string {
  const width = 20;
  const filled = Math.round(width * Math.min(part, 1));
  return `${'█'.repeat(filled)}${'░'.repeat(width - filled)}`;
}

function formatSize(bytes: number): string {
  return formatBytes(BigInt(Math.round(bytes)), PLAIN);
}
