import type { Socket } from 'node:net';

import { FlowEvent } from '../../netstack/tcp/flow-event.js';
import type { TcpFlow } from '../../netstack/tcp/tcp-flow.js';
import type { Flow } from '../../policy/access.js';
import type { StackLoop } from '../../rootless/stack-loop.js';

const MAX_CHUNK_BYTES = 65_536;
const MAX_QUEUED_BYTES = 262_144;
/** Longer than the 2 hours and 4 minutes of RFC 5382 §5 (REQ-5). */
const KEEPALIVE_MS = 7_500_000;

/**
 * One connection of a device, between its flow in the stack and a socket of the host.
 *
 * Each direction ends by itself: a FIN becomes a FIN, a reset a reset. Neither side is read faster than the other takes.
 */
export class TcpRelay {
  lastActiveMs: number;
  /** From the device. */
  receivedBytes = 0;
  sentBytes = 0;
  readonly flow: Flow;
  readonly sinceUnixMs = Date.now();
  readonly #loop: StackLoop;
  readonly #socket: Socket;
  #tcpFlow: TcpFlow | undefined;
  /** Bytes of the host that the flow had no room for. */
  #left: Uint8Array | undefined;
  #isHostEnded = false;
  #isClientEnded = false;

  /** @param socket It hands its bytes to `takeFromHost`. */
  constructor(loop: StackLoop, flow: Flow, socket: Socket) {
    this.#loop = loop;
    this.flow = flow;
    this.#socket = socket;
    this.lastActiveMs = loop.nowMs;
  }

  /** The host is connected. */
  connected(): void {
    this.#socket.setNoDelay(true);
    this.#socket.setKeepAlive(true, KEEPALIVE_MS);
    this.#socket.on('drain', () => this.#sendToHost());
    this.#socket.on('end', () => {
      this.#isHostEnded = true;
      this.#flush();
    });
  }

  /** The client is connected as well. */
  start(flow: TcpFlow): void {
    this.#tcpFlow = flow;
    flow.isNoDelay = true;
    this.#loop.stack.tcp.setKeepalive(flow, true, KEEPALIVE_MS, this.#loop.nowMs);
    this.#loop.listen(flow, (events) => this.#take(events));
    if (this.#socket.destroyed) this.abort();
    else this.#flush();
  }

  /** @returns `false` if the host must be read no more for now. */
  takeFromHost(bytes: Uint8Array): boolean {
    this.lastActiveMs = this.#loop.nowMs;
    const taken = this.#tcpFlow === undefined ? 0 : this.#loop.stack.tcp.write(this.#tcpFlow, bytes, 0, bytes.length);
    this.sentBytes += taken;
    if (taken > 0) this.#loop.wake();
    if (taken === bytes.length) return true;
    this.#left = bytes.slice(taken);
    return false;
  }

  /** Resets both sides. */
  abort(): void {
    // A socket that connects would be reset only once it is connected.
    if (this.#socket.connecting) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
    if (this.#tcpFlow === undefined) return;
    this.#loop.stack.tcp.abort(this.#tcpFlow);
    this.#release();
  }

  /** The host's socket is gone. @param isFailed It ended by an error. */
  hostClosed(isFailed: boolean): void {
    if (this.#tcpFlow === undefined) return;
    if (isFailed) this.#loop.stack.tcp.abort(this.#tcpFlow);
    else this.#loop.stack.tcp.close(this.#tcpFlow, this.#loop.nowMs);
    this.#release();
  }

  #take(events: number): void {
    this.lastActiveMs = this.#loop.nowMs;
    if ((events & FlowEvent.Finished) !== 0) this.#isClientEnded = true;
    this.#sendToHost();
    if ((events & FlowEvent.Writable) !== 0) this.#flush();
    if ((events & FlowEvent.Closed) !== 0 && this.#tcpFlow?.closedBy !== 'closed') this.#socket.resetAndDestroy();
  }

  #sendToHost(): void {
    const flow = this.#tcpFlow;
    if (flow === undefined || this.#socket.destroyed || this.#socket.writableEnded) return;
    while (flow.receiveQueue.unread > 0 && this.#socket.writableLength < MAX_QUEUED_BYTES) {
      const chunk = Buffer.allocUnsafe(Math.min(flow.receiveQueue.unread, MAX_CHUNK_BYTES));
      const count = this.#loop.stack.tcp.read(flow, chunk, 0, chunk.length, this.#loop.nowMs);
      if (count === 0) break;
      this.receivedBytes += count;
      this.#socket.write(chunk.subarray(0, count));
    }
    if (this.#isClientEnded && flow.receiveQueue.unread === 0) this.#socket.end();
    this.#loop.wake();
  }

  /** Sends on what was left, then reads the host again, or ends the flow as the host did. */
  #flush(): void {
    if (this.#tcpFlow === undefined) return;
    const left = this.#left;
    this.#left = undefined;
    if (left !== undefined && !this.takeFromHost(left)) return;
    if (!this.#isHostEnded) this.#socket.resume();
    else {
      this.#loop.stack.tcp.shutdown(this.#tcpFlow);
      this.#loop.wake();
    }
  }

  #release(): void {
    this.#loop.forget(this.#tcpFlow!);
    this.#tcpFlow = undefined;
    this.#left = undefined;
    this.#loop.wake();
  }
}
