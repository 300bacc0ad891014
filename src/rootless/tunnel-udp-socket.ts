import type { BindOptions, RemoteInfo } from 'node:dgram';
import { EventEmitter } from 'node:events';
import type { AddressInfo } from 'node:net';
import { isIP } from 'node:net';

import { formatIpAddress, parseIpAddress } from '../control/ip-text.js';
import { addressBytes, addressWords } from '../netstack/address.js';
import { MAX_UDP_PAYLOAD } from '../netstack/udp/udp.js';
import { type UdpEndpoint, UdpEvent } from '../netstack/udp/udp-endpoint.js';
import { checkPort } from './connect-options.js';
import { ProcessReference } from './process-reference.js';
import { socketError } from './socket-error.js';
import type { SocketHost } from './socket-host.js';

type SendCallback = (error: Error | null, bytes: number) => void;
type Payload = string | Uint8Array | readonly (string | Uint8Array)[];

const BUFFER_BYTES = 1024 * 1024;

/** A UDP port inside of the tunnel, with the interface of `dgram.Socket`. */
export class TunnelUdpSocket extends EventEmitter {
  readonly type: 'udp4' | 'udp6';
  readonly #host: SocketHost;
  #endpoint: UdpEndpoint | undefined;
  #isClosed = false;
  readonly #reference: ProcessReference;
  #remote: { address: string; port: number } | undefined;

  constructor(host: SocketHost, type: 'udp4' | 'udp6', onMessage?: (message: Buffer, from: RemoteInfo) => void) {
    super();
    this.type = type;
    this.#host = host;
    this.#reference = new ProcessReference(host);
    if (onMessage !== undefined) this.on('message', onMessage);
  }

  /** Takes (port?, address?, callback?) or ({ port, address }, callback?). */
  bind(...args: readonly unknown[]): this {
    const callback = args.find((word) => typeof word === 'function') as (() => void) | undefined;
    if (callback !== undefined) this.once('listening', callback);
    const first = args[0];
    const options: BindOptions =
      typeof first === 'object' && first !== null
        ? (first as BindOptions)
        : {
            ...(typeof first === 'number' ? { port: first } : {}),
            ...(typeof args[1] === 'string' ? { address: args[1] } : {}),
          };
    const problem = this.#open(checkPort(options.port ?? 0, 0), options.address);
    queueMicrotask(() => {
      if (problem === undefined) this.emit('listening');
      else this.emit('error', problem);
    });
    return this;
  }

  address(): AddressInfo {
    const endpoint = this.#bound();
    const own = endpoint.address ?? this.#ownAddress();
    return {
      address: formatIpAddress(addressBytes(own)),
      port: endpoint.port,
      family: this.type === 'udp4' ? 'IPv4' : 'IPv6',
    };
  }

  /** Sends to, and takes from, one end only. Errors of the network become `error` events. */
  connect(port: number, address?: string | (() => void), callback?: () => void): void {
    checkPort(port, 1);
    const done = typeof address === 'function' ? address : callback;
    if (done !== undefined) this.once('connect', done);
    const host = typeof address === 'string' ? address : '';
    this.#resolve(host).then(
      (resolved) => {
        if (this.#isClosed) return;
        const endpoint = this.#bound();
        endpoint.remote = addressWords(parseIpAddress(resolved)!);
        endpoint.remotePort = port;
        this.#remote = { address: resolved, port };
        this.emit('connect');
      },
      (error: Error) => this.#sendFailed(error, undefined),
    );
  }

  disconnect(): void {
    const endpoint = this.#bound();
    endpoint.remote = undefined;
    this.#remote = undefined;
  }

  remoteAddress(): AddressInfo {
    if (this.#remote === undefined)
      throw Object.assign(new Error('not connected'), { code: 'ERR_SOCKET_DGRAM_NOT_CONNECTED' });
    return { ...this.#remote, family: this.type === 'udp4' ? 'IPv4' : 'IPv6' };
  }

  /** Takes (payload, offset?, length?, port?, address?, callback?), as `dgram.Socket` does. */
  send(payload: Payload, ...rest: readonly unknown[]): void {
    const callback = rest.find((word) => typeof word === 'function') as SendCallback | undefined;
    const words = rest.filter((word) => typeof word !== 'function');
    const address = words.find((word) => typeof word === 'string') as string | undefined;
    const numbers = words.filter((word) => typeof word === 'number') as number[];
    const hasRange = numbers.length >= 2 && typeof payload !== 'string' && !Array.isArray(payload);
    const bytes = toBytes(payload, hasRange ? numbers.splice(0, 2) : []);
    const port = checkPort(numbers[0] ?? this.#remote?.port, 1);
    const host = address ?? this.#remote?.address ?? '';
    this.#resolve(host).then(
      (resolved) => this.#transmit(bytes, resolved, port, callback),
      (error: Error) => this.#sendFailed(error, callback),
    );
  }

  close(callback?: () => void): this {
    if (callback !== undefined) this.once('close', callback);
    if (this.#isClosed) return this;
    this.#isClosed = true;
    if (this.#endpoint !== undefined) {
      this.#host.loop.forget(this.#endpoint);
      this.#host.loop.stack.udp.close(this.#endpoint);
      this.#reference.isOpen = false;
    }
    queueMicrotask(() => this.emit('close'));
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

  setTTL(ttl: number): number {
    return ttl;
  }

  getRecvBufferSize(): number {
    return BUFFER_BYTES;
  }

  getSendBufferSize(): number {
    return BUFFER_BYTES;
  }

  setRecvBufferSize(): void {}

  setSendBufferSize(): void {}

  getSendQueueSize(): number {
    return this.#host.loop.stack.udp.queuedBytes;
  }

  getSendQueueCount(): number {
    return 0;
  }

  setBroadcast(): never {
    throw notSupported('setBroadcast');
  }

  addMembership(): never {
    throw notSupported('addMembership');
  }

  dropMembership(): never {
    throw notSupported('dropMembership');
  }

  setMulticastTTL(): never {
    throw notSupported('setMulticastTTL');
  }

  setMulticastLoopback(): never {
    throw notSupported('setMulticastLoopback');
  }

  setMulticastInterface(): never {
    throw notSupported('setMulticastInterface');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isClosed) await new Promise<void>((resolve) => this.close(resolve));
  }

  #open(port: number, address: string | undefined): Error | undefined {
    const { loop } = this.#host;
    const isAny = address === undefined || address === '0.0.0.0' || address === '::';
    const bytes = isAny ? undefined : parseIpAddress(address);
    const endpoint = loop.stack.udp.bind(bytes && addressWords(bytes), port);
    if (endpoint === undefined) return socketError('EADDRINUSE', 'bind', address ?? '::', port);
    this.#endpoint = endpoint;
    loop.listen(endpoint, (events) => this.#take(endpoint, events));
    this.#reference.isOpen = true;
    return undefined;
  }

  #bound(): UdpEndpoint {
    if (this.#endpoint === undefined) this.#open(0, undefined);
    return this.#endpoint!;
  }

  #take(endpoint: UdpEndpoint, events: number): void {
    if ((events & UdpEvent.Error) !== 0) {
      const code = endpoint.error === 'refused' ? 'ECONNREFUSED' : 'EHOSTUNREACH';
      endpoint.error = undefined;
      this.emit('error', socketError(code, 'recv', this.#remote?.address, this.#remote?.port));
    }
    for (let datagram = endpoint.receive(); datagram !== undefined; datagram = endpoint.receive()) {
      if (this.#isClosed) return;
      const from = addressBytes(datagram.from);
      this.emit('message', Buffer.from(datagram.data.buffer, datagram.data.byteOffset, datagram.data.length), {
        address: formatIpAddress(from),
        family: from.length === 4 ? 'IPv4' : 'IPv6',
        port: datagram.fromPort,
        size: datagram.data.length,
      });
    }
  }

  #transmit(bytes: Uint8Array, address: string, port: number, callback: SendCallback | undefined): void {
    if (this.#isClosed) return;
    const { loop } = this.#host;
    const endpoint = this.#bound();
    const destination = addressWords(parseIpAddress(address)!);
    const source = endpoint.address ?? loop.stack.sourceFor(destination);
    if (source === undefined || bytes.length > MAX_UDP_PAYLOAD) {
      this.#sendFailed(socketError('EADDRNOTAVAIL', 'send', address, port), callback);
      return;
    }
    loop.stack.udp.send(source, endpoint.port, destination, port, bytes);
    loop.wake();
    callback?.(null, bytes.length);
  }

  #sendFailed(error: Error, callback: SendCallback | undefined): void {
    if (callback !== undefined) callback(error, 0);
    else if (!this.#isClosed) this.emit('error', error);
  }

  async #resolve(host: string): Promise<string> {
    if (isIP(host) !== 0) return host;
    const family = this.type === 'udp4' ? 4 : 6;
    const addresses = await this.#host.lookup(host);
    const found = addresses.find((address) => address.family === family);
    if (found === undefined) throw socketError('EADDRNOTAVAIL', 'send', host, 0);
    return found.address;
  }

  #ownAddress(): Int32Array {
    const probe = addressWords(new Uint8Array(this.type === 'udp4' ? 4 : 16).fill(1));
    return this.#host.loop.stack.sourceFor(probe) ?? probe;
  }
}

function toBytes(payload: Payload, [offset = 0, length]: number[]): Uint8Array {
  if (typeof payload === 'string') return Buffer.from(payload);
  if (payload instanceof Uint8Array)
    return payload.subarray(offset, length === undefined ? undefined : offset + length);
  return Buffer.concat(payload.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
}

function notSupported(member: string): Error {
  return Object.assign(new Error(`${member}: a tunnel carries unicast only`), { code: 'ENOTSUP', syscall: member });
}
