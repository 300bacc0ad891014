import type { SocketConnectOpts } from 'node:net';

import { FlowEvent } from '../netstack/tcp/flow-event.js';
import type { TcpFlow } from '../netstack/tcp/tcp-flow.js';
import { TcpState } from '../netstack/tcp/tcp-state.js';
import { ConnectAttempts } from './connect-attempts.js';
import { normalizeConnectArgs } from './connect-options.js';
import { FlowStream } from './flow-stream.js';
import { IdleTimer } from './idle-timer.js';
import { ProcessReference } from './process-reference.js';
import { codeOfReason, socketError } from './socket-error.js';
import type { SocketHost } from './socket-host.js';
import { streamOptions, type TunnelSocketOptions } from './socket-options.js';

const CHUNK_BYTES = 65_536;

type WriteCallback = (error: Error | null | undefined) => void;

/**
 * A TCP connection through the tunnel, with the interface of `net.Socket`.
 *
 * It is not an instance of `net.Socket`: TLS and HTTP would look for a handle of libuv in it. As a stream they take it as it is.
 */
export class TunnelSocket extends FlowStream {
  timeout = 0;
  /** Set by `http.Server`. */
  server: unknown;
  autoSelectFamilyAttemptedAddresses: string[] = [];
  /** The name that TLS checks the certificate against. */
  _host: string | undefined;

  readonly #host: SocketHost;
  #attempts: ConnectAttempts | undefined;
  #waitingWrite: { bytes: Uint8Array; at: number; callback: (error?: Error | null) => void } | undefined;
  #isReadWanted = false;
  #isFinished = false;
  #isOver = false;
  #isEndPushed = false;
  #bytesRead = 0;
  #bytesWritten = 0;
  #isNoDelay: boolean;
  #keepalive: { isOn: boolean; idleMs: number } | undefined;
  readonly #idle = new IdleTimer(() => this.emit('timeout'));
  readonly #reference: ProcessReference;
  #mustReset = false;

  constructor(host: SocketHost, options: TunnelSocketOptions = {}, flow?: TcpFlow) {
    super(streamOptions(options));
    const { noDelay = false, keepAlive = false, keepAliveInitialDelay } = options;
    this.#host = host;
    this.#reference = new ProcessReference(host);
    this.#isNoDelay = noDelay;
    if (keepAlive) this.setKeepAlive(true, keepAliveInitialDelay);
    if (flow !== undefined) this.#attach(flow);
  }

  // Connecting

  connect(...args: readonly unknown[]): this {
    const { options, callback } = normalizeConnectArgs(args);
    if (callback !== undefined) this.once('connect', callback);
    if (this.#attempts !== undefined || this.flow !== undefined)
      throw Object.assign(new Error('the socket is connected or connecting already'), { code: 'EISCONN' });
    this.connecting = true;
    this._host = options.host;
    this.#reference.isOpen = true;
    this.#startAttempts(options);
    return this;
  }

  get pending(): boolean {
    return this.flow === undefined || this.connecting || this.destroyed;
  }

  /** A socket that was never connected is `open`, as with `net.Socket`. */
  get readyState(): 'opening' | 'open' | 'readOnly' | 'writeOnly' | 'closed' {
    if (this.connecting) return 'opening';
    if (this.readable) return this.writable ? 'open' : 'readOnly';
    return this.writable ? 'writeOnly' : 'closed';
  }

  get bytesRead(): number {
    return this.#bytesRead;
  }

  get bytesWritten(): number {
    return this.#bytesWritten - (this.#waitingWrite?.at ?? 0) + this.writableLength;
  }

  get bufferSize(): number {
    return this.writableLength;
  }

  // Settings: all return this, and all work before `connect`.

  setNoDelay(isNoDelay = true): this {
    this.#isNoDelay = isNoDelay;
    if (this.flow !== undefined) this.flow.isNoDelay = isNoDelay;
    return this;
  }

  setKeepAlive(isOn = false, initialDelayMs = 0): this {
    this.#keepalive = { isOn, idleMs: initialDelayMs };
    const flow = this.flow;
    if (flow !== undefined && !this.connecting)
      this.#host.loop.stack.tcp.setKeepalive(flow, isOn, initialDelayMs, this.#host.loop.nowMs);
    return this;
  }

  setTimeout(timeoutMs: number, callback?: () => void): this {
    this.timeout = timeoutMs;
    if (callback !== undefined) {
      if (timeoutMs === 0) this.removeListener('timeout', callback);
      else this.once('timeout', callback);
    }
    if (!this.destroyed) this.#idle.set(timeoutMs);
    return this;
  }

  ref(): this {
    this.#reference.isWanted = true;
    return this;
  }

  unref(): this {
    this.#reference.isWanted = false;
    return this;
  }

  /** Ends after everything that was written has been handed to the stack. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }

  /** Ends the connection with RST. */
  resetAndDestroy(): this {
    this.#mustReset = true;
    return this.destroy();
  }

  // The stream

  /** Writes, or fails with EPIPE where the peer has ended and half-open connections are not wanted. */
  override write(chunk: unknown, encoding?: BufferEncoding | WriteCallback, callback?: WriteCallback): boolean {
    if (this.allowHalfOpen || !this.readableEnded || !this.writableEnded)
      return super.write(chunk, encoding as BufferEncoding, callback);
    const error = Object.assign(new Error('This socket has been ended by the other party'), { code: 'EPIPE' });
    const done = typeof encoding === 'function' ? encoding : callback;
    if (done !== undefined) process.nextTick(done, error);
    this.destroy(error);
    return false;
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#waitingWrite = { bytes: chunk, at: 0, callback };
    this.#continueWriting();
  }

  override _final(callback: (error?: Error | null) => void): void {
    if (this.connecting) {
      this.once('connect', () => this._final(callback));
      return;
    }
    if (this.flow !== undefined) this.#host.loop.stack.tcp.shutdown(this.flow);
    this.#host.loop.wake();
    setImmediate(callback); // in a turn of its own, as when the system takes the FIN
  }

  override _read(): void {
    this.#isReadWanted = true;
    this.#pull();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#idle.stop();
    this.connecting = false;
    this.#attempts?.cancel();
    const flow = this.flow;
    const { loop } = this.#host;
    if (flow !== undefined) {
      loop.forget(flow);
      // Bytes that the stack handed over and nobody read are lost as much as those in the stack (RFC 2525 §2.17).
      if (this.#mustReset || this.readableLength > 0) loop.stack.tcp.abort(flow);
      else loop.stack.tcp.close(flow, loop.nowMs);
      loop.wake();
    }
    this.#reference.isOpen = false;
    this.#waitingWrite = undefined;
    callback(error);
    process.nextTick(() => this.emit('close', error !== null));
  }

  #startAttempts(options: SocketConnectOpts & { host: string; port: number }): void {
    const attempts = new ConnectAttempts(this.#host, options);
    this.#attempts = attempts;
    attempts.onLookup = (error, address, family) => this.emit('lookup', error, address, family, options.host);
    attempts.onAttempt = (address, port, family) => {
      // Unlike with `push`, the array has no room for more, which would be most of its size.
      this.autoSelectFamilyAttemptedAddresses = this.autoSelectFamilyAttemptedAddresses.concat(`${address}:${port}`);
      this.emit('connectionAttempt', address, port, family);
    };
    attempts.onAttemptFailed = (...failure) => this.emit('connectionAttemptFailed', ...failure);
    attempts.onConnected = (flow) => this.#connected(flow);
    attempts.onFailed = (error) => this.destroy(error);
    attempts.start();
  }

  #connected(flow: TcpFlow): void {
    this.#attempts = undefined; // its options and addresses would stay for as long as the connection
    this.#attach(flow);
    this.connecting = false;
    this.emit('connect');
    this.emit('ready');
    this.#continueWriting();
    this.#pull();
  }

  #attach(flow: TcpFlow): void {
    const { loop } = this.#host;
    this.flow = flow;
    flow.isNoDelay = this.#isNoDelay;
    if (this.#keepalive !== undefined) this.setKeepAlive(this.#keepalive.isOn, this.#keepalive.idleMs);
    loop.listen(flow, (events) => this.#take(events));
    this.#reference.isOpen = true;
    this.#idle.restart();
    // Events from before this socket took the flow over.
    if (flow.isFinReceived || flow.state === TcpState.Closed)
      queueMicrotask(() => this.#take(FlowEvent.Finished | (flow.state === TcpState.Closed ? FlowEvent.Closed : 0)));
  }

  #take(events: number): void {
    if (this.destroyed) return;
    this.#idle.restart();
    if ((events & FlowEvent.Writable) !== 0) this.#continueWriting();
    if ((events & FlowEvent.Finished) !== 0) this.#isFinished = true;
    if ((events & FlowEvent.Closed) !== 0) this.#isOver = true;
    this.#pull();
  }

  /** Hands on what is in order, then the end, then the error: data that arrived is never lost to what came behind it. */
  #pull(): void {
    const flow = this.flow;
    if (flow === undefined || this.connecting || this.destroyed) return;
    const { loop } = this.#host;
    while (this.#isReadWanted && flow.receiveQueue.unread > 0) {
      const chunk = Buffer.allocUnsafe(Math.min(flow.receiveQueue.unread, CHUNK_BYTES));
      loop.stack.tcp.read(flow, chunk, 0, chunk.length, loop.nowMs);
      this.#bytesRead += chunk.length;
      this.#isReadWanted = this.push(chunk);
    }
    if (loop.stack.hasOutput) loop.wake();
    if (flow.receiveQueue.unread > 0) return;
    const code = this.#isOver ? codeOfReason(flow.closedBy) : undefined;
    if (code !== undefined) {
      this.destroy(socketError(code, 'read'));
    } else if ((this.#isFinished || this.#isOver) && !this.readableEnded) {
      this.#isReadWanted = false;
      this.#pushEnd();
    }
  }

  /** Ends the reading side, also of a socket that nobody reads from, as `net.Socket` does. */
  #pushEnd(): void {
    if (this.#isEndPushed) return;
    this.#isEndPushed = true;
    this.push(null);
    this.read(0);
  }

  #continueWriting(): void {
    const waiting = this.#waitingWrite;
    const flow = this.flow;
    if (waiting === undefined || flow === undefined || this.connecting) return;
    if (flow.state === TcpState.Closed || flow.state === TcpState.TimeWait) {
      this.#waitingWrite = undefined;
      waiting.callback(socketError(flow.closedBy === 'reset' ? 'ECONNRESET' : 'EPIPE', 'write'));
      return;
    }
    const { loop } = this.#host;
    const { bytes, at } = waiting;
    const taken = loop.stack.tcp.write(flow, bytes, at, bytes.length - at);
    this.#bytesWritten += taken;
    waiting.at += taken;
    loop.wake();
    if (waiting.at < bytes.length) return;
    this.#waitingWrite = undefined;
    this.#idle.restart();
    waiting.callback();
  }
}
