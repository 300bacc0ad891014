import type { RemoteInfo } from 'node:dgram';
import { EventEmitter } from 'node:events';
import type { AddressInfo } from 'node:net';
import { isIP } from 'node:net';

import { formatIpAddress, parseIpAddress } from '../control/ip-text.js';
import { WireGuardError } from '../core/errors.js';
import { addressBytes, addressWords } from '../netstack/address.js';
import { MAX_UDP_PAYLOAD } from '../netstack/udp/udp.js';
import { type UdpEndpoint, UdpEvent } from '../netstack/udp/udp-endpoint.js';
import { checkPort } from './connect-options.js';
import { ownAddress } from './own-address.js';
import { ProcessReference } from './process-reference.js';
import { socketError } from './socket-error.js';
import type { SocketHost } from './socket-host.js';
import { readBindArgs } from './udp-bind-call.js';
import { readSendArgs, type SendCall, type SendCallback, type UdpPayload } from './udp-send-call.js';

type ConnectCallback = (error?: Error) => void;

const BUFFER_BYTES = 1024 * 1024;

/** A UDP port inside of the tunnel, with the interface of `dgram.Socket`. */
export class TunnelUdpSocket extends EventEmitter {
  readonly type: 'udp4' | 'udp6';
  readonly #host: SocketHost;
  #endpoint: UdpEndpoint | undefined;
  #isClosed = false;
  #isConnecting = false;
  #isBindFailed = false;
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
    this.#checkOpen();
    if (this.#endpoint !== undefined || this.#isBindFailed)
      throw stateError('ERR_SOCKET_ALREADY_BOUND', 'the socket is bound already');
    const { port, address, callback } = readBindArgs(args);
    if (callback !== undefined) this.once('listening', callback);
    const problem = this.#open(port, address);
    if (problem !== undefined) process.nextTick(() => this.emit('error', problem));
    return this;
  }

  address(): AddressInfo {
    this.#checkOpen();
    const endpoint = this.#endpoint;
    if (endpoint === undefined)
      throw Object.assign(stateError('EBADF', 'getsockname EBADF'), { syscall: 'getsockname' });
    const own = endpoint.address ?? this.#ownAddress();
    return { address: formatIpAddress(addressBytes(own)), port: endpoint.port, family: this.#family };
  }

  /** Sends to, and takes from, one end only. Errors of the network become `error` events. */
  connect(port: number, address?: string | ConnectCallback, callback?: ConnectCallback): void {
    const remotePort = checkPort(port, 1);
    this.#checkOpen();
    if (this.#remote !== undefined || this.#isConnecting)
      throw stateError('ERR_SOCKET_DGRAM_IS_CONNECTED', 'Already connected');
    if (typeof address !== 'string' || address === '')
      throw new WireGuardError('ERR_SOCKET_ARGUMENT', 'the address to connect to is missing');
    this.#isConnecting = true;
    const endpoint = this.#bound();
    this.#resolve(address).then(
      (resolved) => {
        this.#isConnecting = false;
        if (this.#isClosed) return;
        endpoint.remote = addressWords(parseIpAddress(resolved)!);
        endpoint.remotePort = remotePort;
        this.#remote = { address: resolved, port: remotePort };
        if (callback !== undefined) this.once('connect', callback);
        process.nextTick(() => this.emit('connect')); // after `listening`
      },
      (error: Error) => {
        this.#isConnecting = false;
        if (callback === undefined) this.emit('error', error);
        else callback(error);
      },
    );
  }

  disconnect(): void {
    this.#checkConnected();
    this.#bound().remote = undefined;
    this.#remote = undefined;
  }

  remoteAddress(): AddressInfo {
    return { ...this.#checkConnected(), family: this.#family };
  }

  /** Takes (payload, offset?, length?, port?, address?, callback?), as `dgram.Socket` does. */
  send(payload: UdpPayload, ...args: readonly unknown[]): void {
    const call = readSendArgs(payload, args, this.#remote);
    this.#checkOpen();
    this.#bound();
    this.#resolve(call.address).then(
      (resolved) => this.#transmit(call, resolved),
      (error: Error) => this.#sendFailed(error, call.callback),
    );
  }

  close(callback?: () => void): this {
    if (callback !== undefined) this.once('close', callback);
    this.#checkOpen();
    this.#isClosed = true;
    if (this.#endpoint !== undefined) {
      this.#host.loop.forget(this.#endpoint);
      this.#host.loop.stack.udp.close(this.#endpoint);
      this.#reference.isOpen = false;
    }
    process.nextTick(() => this.emit('close'));
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

  addSourceSpecificMembership(): never {
    throw notSupported('addSourceSpecificMembership');
  }

  dropSourceSpecificMembership(): never {
    throw notSupported('dropSourceSpecificMembership');
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

  #open(port: number, host: string | undefined): Error | undefined {
    const { loop } = this.#host;
    const address = ownAddress(this.#host, host);
    const endpoint = address === null ? undefined : loop.stack.udp.bind(address, port);
    if (endpoint === undefined) {
      this.#isBindFailed = true;
      return socketError(address === null ? 'EADDRNOTAVAIL' : 'EADDRINUSE', 'bind', host ?? '::', port);
    }
    this.#endpoint = endpoint;
    loop.listen(endpoint, (events) => this.#take(endpoint, events));
    this.#reference.isOpen = true;
    process.nextTick(() => this.emit('listening'));
    return undefined;
  }

  /** A socket that sends or connects before it is bound gets any free port. */
  #bound(): UdpEndpoint {
    const problem = this.#endpoint === undefined ? this.#open(0, undefined) : undefined;
    if (problem !== undefined) throw problem;
    return this.#endpoint!;
  }

  #checkOpen(): void {
    if (this.#isClosed) throw stateError('ERR_SOCKET_DGRAM_NOT_RUNNING', 'Not running');
  }

  #checkConnected(): { address: string; port: number } {
    this.#checkOpen();
    if (this.#remote === undefined) throw stateError('ERR_SOCKET_DGRAM_NOT_CONNECTED', 'Not connected');
    return this.#remote;
  }

  get #family(): 'IPv4' | 'IPv6' {
    return this.type === 'udp4' ? 'IPv4' : 'IPv6';
  }

  #take(endpoint: UdpEndpoint, events: number): void {
    if ((events & UdpEvent.Error) !== 0) {
      const code = endpoint.error === 'refused' ? 'ECONNREFUSED' : 'EHOSTUNREACH';
      endpoint.error = undefined;
      this.emit('error', socketError(code, 'recvmsg', this.#remote?.address, this.#remote?.port));
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

  #transmit({ bytes, port, callback }: SendCall, address: string): void {
    if (this.#isClosed) return;
    const { loop } = this.#host;
    const endpoint = this.#bound();
    const destination = addressWords(parseIpAddress(address)!);
    const source = endpoint.address ?? loop.stack.sourceFor(destination);
    if (source === undefined || bytes.length > MAX_UDP_PAYLOAD) {
      const code = source === undefined ? 'EADDRNOTAVAIL' : 'EMSGSIZE';
      this.#sendFailed(socketError(code, 'send', address, port), callback);
      return;
    }
    loop.stack.udp.send(source, endpoint.port, destination, port, bytes);
    loop.wake();
    if (callback !== undefined) process.nextTick(callback, null, bytes.length);
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

/** An error of a call at the wrong time, with the code of `dgram`. */
function stateError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

function notSupported(member: string): Error {
  return Object.assign(new Error(`${member}: a tunnel carries unicast only`), { code: 'ENOTSUP', syscall: member });
}
