import type { LookupAddress } from 'node:dns';
import { isIP } from 'node:net';

import { parseIpAddress } from '../control/ip-text.js';
import { addressWords } from '../netstack/address.js';
import { FlowEvent } from '../netstack/tcp/flow-event.js';
import type { TcpFlow } from '../netstack/tcp/tcp-flow.js';
import type { ConnectOptions } from './connect-options.js';
import { codeOfReason, type SocketError, socketError } from './socket-error.js';
import type { SocketHost } from './socket-host.js';

/** RFC 8305 §5 recommends 250 ms, as Node has it. */
const ATTEMPT_DELAY_MS = 250;

/**
 * Connects to the first address of a name that answers: IPv6 and IPv4 in turn, each a quarter of a second after the other.
 *
 * Source: RFC 8305 §4, §5.
 */
export class ConnectAttempts {
  onLookup: (error: Error | null, address?: string, family?: number) => void = () => {};
  onAttempt: (address: string, port: number, family: number) => void = () => {};
  onAttemptFailed: (address: string, port: number, family: number, error: Error) => void = () => {};
  onConnected: (flow: TcpFlow) => void = () => {};
  onFailed: (error: Error) => void = () => {};

  readonly #host: SocketHost;
  readonly #options: ConnectOptions;
  readonly #flows = new Set<TcpFlow>();
  #addresses: LookupAddress[] = [];
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;
  #lastError: SocketError | undefined;

  constructor(host: SocketHost, options: ConnectOptions) {
    this.#host = host;
    this.#options = options;
  }

  start(): void {
    const { host } = this.#options;
    const family = isIP(host);
    if (family === 0) {
      this.#lookup(host).then(
        (addresses) => this.#begin(addresses),
        (error: Error) => this.#lookupFailed(error),
      );
      return;
    }
    // A connection begins in a turn of its own, so that the caller can add listeners first.
    queueMicrotask(() => this.#begin([{ address: host, family }]));
  }

  cancel(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    const { loop } = this.#host;
    for (const flow of this.#flows) {
      loop.forget(flow);
      loop.stack.tcp.abort(flow);
    }
    this.#flows.clear();
  }

  /** Asks the function `lookup` of the options, as `net.connect` does, or else the servers of the tunnel. */
  #lookup(host: string): Promise<readonly LookupAddress[]> {
    const { lookup } = this.#options;
    if (lookup === undefined) return this.#host.lookup(host);
    return new Promise((resolve, reject) => {
      lookup(host, { all: true }, (error, found, family) => {
        if (error !== null) reject(error);
        else resolve(typeof found === 'string' ? [{ address: found, family: family ?? isIP(found) }] : found);
      });
    });
  }

  #lookupFailed(error: Error): void {
    if (this.#isOver) return;
    this.onLookup(error);
    this.#fail(error);
  }

  #begin(addresses: readonly LookupAddress[]): void {
    if (this.#isOver) return;
    const { family = 0 } = this.#options;
    const wanted = addresses.filter((address) => family === 0 || address.family === family);
    this.#addresses = interleave(wanted.filter(({ family }) => this.#hasFamily(family)));
    for (const { address, family } of isIP(this.#options.host) === 0 ? addresses : [])
      this.onLookup(null, address, family);
    if (this.#addresses.length === 0) {
      const { host, port } = this.#options;
      this.#fail(socketError('EADDRNOTAVAIL', 'connect', addresses[0]?.address ?? host, port));
      return;
    }
    this.#attempt();
  }

  /** Whether the tunnel has an address of a family: without one there is nowhere to send from. */
  #hasFamily(family: number): boolean {
    const probe = addressWords(new Uint8Array(family === 4 ? 4 : 16).fill(1));
    return this.#host.loop.stack.sourceFor(probe) !== undefined;
  }

  #attempt(): void {
    const next = this.#addresses.shift();
    if (next === undefined) return;
    const { port, localPort = 0 } = this.#options;
    const { loop } = this.#host;
    const remote = addressWords(parseIpAddress(next.address)!);
    const flow = loop.stack.tcp.connect(loop.stack.sourceFor(remote)!, remote, port, loop.nowMs, localPort);
    if (flow === undefined) {
      this.#lastError = socketError(localPort === 0 ? 'EADDRNOTAVAIL' : 'EADDRINUSE', 'connect', next.address, port);
      this.#attemptFailed();
      return;
    }
    this.onAttempt(next.address, port, next.family);
    this.#flows.add(flow);
    loop.listen(flow, (events) => this.#take(flow, next, events));
    loop.wake();
    if (this.#addresses.length > 0) this.#timer = setTimeout(() => this.#attempt(), ATTEMPT_DELAY_MS);
  }

  #take(flow: TcpFlow, { address, family }: LookupAddress, events: number): void {
    if ((events & FlowEvent.Connected) !== 0) {
      this.#flows.delete(flow);
      this.#host.loop.forget(flow);
      this.cancel();
      this.onConnected(flow);
      return;
    }
    if ((events & FlowEvent.Closed) === 0) return;
    this.#flows.delete(flow);
    this.#host.loop.forget(flow);
    const { port } = this.#options;
    this.#lastError = socketError(codeOfReason(flow.closedBy) ?? 'ECONNREFUSED', 'connect', address, port);
    this.onAttemptFailed(address, port, family, this.#lastError);
    this.#attemptFailed();
  }

  #attemptFailed(): void {
    clearTimeout(this.#timer);
    if (this.#addresses.length > 0) this.#attempt();
    else if (this.#flows.size === 0) this.#fail(this.#lastError!);
  }

  #fail(error: Error): void {
    this.#isOver = true;
    this.onFailed(error);
  }
}

/** IPv6 and IPv4 in turn, IPv6 first (RFC 8305 §4). */
function interleave(addresses: readonly LookupAddress[]): LookupAddress[] {
  const v6 = addresses.filter(({ family }) => family === 6);
  const v4 = addresses.filter(({ family }) => family === 4);
  const mixed: LookupAddress[] = [];
  for (let i = 0; i < Math.max(v6.length, v4.length); i++) {
    if (v6[i] !== undefined) mixed.push(v6[i]!);
    if (v4[i] !== undefined) mixed.push(v4[i]!);
  }
  return mixed;
}
