import { isIP } from 'node:net';

import type { Destination, ExitUdpPort } from '../exit.js';
import { type Flow, FlowTable } from './flow-table.js';

const MAX_FLOWS = 1_024;
/** Datagrams that wait while the way of a new flow is being opened; further ones are dropped. */
const MAX_WAITING = 32;
const DEFAULT_IDLE_MS = 300_000;

export interface DatagramForwardEnds {
  /** Opens the ports that datagrams come to: one for each family that is served. */
  open(): Promise<readonly ExitUdpPort[]>;
  /** Opens a port on the other side, and finds the address that its datagrams go to. */
  openFlow(): Promise<{ readonly port: ExitUdpPort; readonly to: Destination }>;
  /** Called if the other end cannot be reached. */
  onFailure(error: Error): void;
}

/** The datagrams of one sender, and the answers to them. */
interface DatagramFlow extends Flow {
  send(message: Uint8Array): void;
}

/**
 * Carries datagrams that come to one place to another place, and the answers back. Every sender has a port of its own on the
 * other side, as behind a NAT; answers of anybody but the target are dropped.
 */
export class DatagramForward {
  readonly ports: readonly ExitUdpPort[];
  readonly #ends: DatagramForwardEnds;
  readonly #flows: FlowTable<DatagramFlow>;

  private constructor(ports: readonly ExitUdpPort[], ends: DatagramForwardEnds) {
    this.ports = ports;
    this.#ends = ends;
    this.#flows = new FlowTable(MAX_FLOWS, DEFAULT_IDLE_MS);
    for (const port of ports) port.onMessage = (message, from) => this.#carry(port, message, from);
  }

  static async open(ends: DatagramForwardEnds): Promise<DatagramForward> {
    return new DatagramForward(await ends.open(), ends);
  }

  /** A sender without datagrams, either way, for this long loses its port. @param seconds Default: 5 minutes. */
  setIdleSeconds(seconds: number | undefined): void {
    this.#flows.idleMs = seconds === undefined ? DEFAULT_IDLE_MS : 1_000 * seconds;
  }

  get flowCount(): number {
    return this.#flows.size;
  }

  close(): void {
    for (const port of this.ports) port.close();
    this.#flows.close();
  }

  #carry(port: ExitUdpPort, message: Uint8Array, from: Destination): void {
    const key = `${from.host} ${from.port}`;
    const nowMs = performance.now();
    let flow = this.#flows.use(key, nowMs);
    if (flow === undefined) {
      flow = this.#newFlow(key, (answer) => port.send(answer, from));
      this.#flows.add(key, flow, nowMs);
    }
    flow.send(message);
  }

  #newFlow(key: string, answer: (message: Uint8Array) => void): DatagramFlow {
    let waiting: Uint8Array[] = [];
    let isClosed = false;
    let way: { readonly port: ExitUdpPort; readonly to: Destination } | undefined;
    this.#ends.openFlow().then(
      (opened) => {
        way = opened;
        if (isClosed) return opened.port.close();
        opened.port.onMessage = (message, from) => {
          if (!isSamePlace(from, opened.to)) return;
          this.#flows.use(key, performance.now());
          answer(message);
        };
        for (const message of waiting) opened.port.send(message, opened.to);
        waiting = [];
      },
      (error: Error) => {
        if (!isClosed) this.#flows.remove(key);
        this.#ends.onFailure(error);
      },
    );
    return {
      send(message) {
        if (way !== undefined) way.port.send(message, way.to);
        else if (waiting.length < MAX_WAITING) waiting.push(Uint8Array.from(message));
      },
      close() {
        isClosed = true;
        waiting = [];
        way?.port.close();
      },
    };
  }
}

/** Addresses of one family have one text, once zones and the IPv4-mapped form are gone. */
function isSamePlace(a: Destination, b: Destination): boolean {
  return a.port === b.port && plain(a.host) === plain(b.host);
}

function plain(host: string): string {
  const mapped = host.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  return isIP(mapped) === 6 ? new URL(`http://[${mapped}]/`).hostname : mapped;
}
