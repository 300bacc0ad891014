import { randomInt } from 'node:crypto';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';

import type { Burst, Target } from './burst.js';

/** Ports that are nobody's (RFC 6335 §6). */
const FIRST_PORT = 49_152;
const PORTS = 65_536 - FIRST_PORT;
const ATTEMPTS = 16;
/** The error of a closed port arrives within a round trip. */
const CONTACT_MS = 1_000;
/** Its server answers from another port (RFC 1350 §4). */
const TFTP_PORT = 69;

export interface MappedSocketEvents {
  readonly onMessage: (message: Buffer, from: RemoteInfo) => void;
  /** The network turned a datagram down, as by ICMP. The socket lives on. */
  readonly onRefused: (code: string | undefined) => void;
  /** The socket can be used no more. */
  readonly onFailed: () => void;
}

/**
 * The host's socket of a mapping: one port for all targets, which it keeps as long as it lives.
 *
 * Linux tells only a connected socket that a port is closed. So it is connected at the first contact with a target, and
 * disconnected after a second or with the first answer. Meanwhile the host lets nobody else's datagrams in.
 */
export class MappedSocket {
  readonly #socket: Socket;
  /** Linux keeps the port of a socket that is disconnected only if the port was asked for by its number. */
  readonly #canContact: boolean;
  readonly #burst: Burst | undefined;
  #contact: string | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param burst Sends many datagrams by one call. Absent: each leaves by itself. */
  constructor(family: 4 | 6, { onMessage, onRefused, onFailed }: MappedSocketEvents, burst?: Burst) {
    this.#burst = burst;
    this.#socket = createSocket({
      type: `udp${family}`,
      // Only addresses are sent to: they need no resolver, and no turn of the event loop.
      lookup: (address, _options, callback) => callback(null, address, family),
    });
    this.#canContact = bindToNumber(this.#socket);
    this.#socket.on('message', (message, from) => {
      this.#endContact();
      onMessage(message, from);
    });
    this.#socket.on('error', ({ syscall, code }: NodeJS.ErrnoException) => {
      if (syscall === 'recvmsg') onRefused(code);
      else onFailed();
    });
  }

  /** @param isFirst The only target so far, and it has not answered. */
  send(data: Uint8Array, address: string, target: Target, isFirst: boolean): void {
    const { port, onError } = target;
    if (isFirst) this.#beginContact(address, port);
    else this.#endContact();
    const descriptor = this.#burst === undefined ? -1 : descriptorOf(this.#socket);
    if (this.#burst !== undefined && descriptor >= 0) {
      this.#burst.add(descriptor, target, data);
      return;
    }
    const done = (error: NodeJS.ErrnoException | null): void => {
      if (error !== null) onError(error.code);
    };
    if (this.#contact === undefined) this.#socket.send(data, port, address, done);
    else this.#socket.send(data, done);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#burst?.flush(); // before the descriptor is somebody else's
    this.#socket.close();
  }

  #beginContact(address: string, port: number): void {
    const contact = `${address} ${port}`;
    if (this.#contact !== contact) this.#endContact();
    if (!this.#canContact || port === TFTP_PORT) return;
    if (this.#contact === undefined) {
      // Without a route it fails, and so does the sending, which tells why.
      this.#socket.connect(port, address, () => {});
      if (!isConnected(this.#socket)) return;
      this.#contact = contact;
    }
    if (this.#timer === undefined) this.#timer = setTimeout(() => this.#endContact(), CONTACT_MS).unref();
    else this.#timer.refresh();
  }

  #endContact(): void {
    if (this.#contact === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#contact = undefined;
    this.#burst?.flush();
    this.#socket.disconnect();
  }
}

/** @returns `false`: no port was free; the socket binds itself when it sends. */
function bindToNumber(socket: Socket): boolean {
  let isBound = false;
  const isTaken = (): void => {};
  socket.on('error', isTaken);
  socket.once('listening', () => {
    isBound = true;
  });
  for (let attempt = 0; attempt < ATTEMPTS && !isBound; attempt++)
    socket.bind({ port: FIRST_PORT + randomInt(PORTS), exclusive: true });
  socket.off('error', isTaken);
  return isBound;
}

/** Node keeps it in its handle, whose shape has not changed since `dgram` began. @returns −1: there is none. */
function descriptorOf(socket: Socket): number {
  return (socket as unknown as { readonly _handle?: { readonly fd?: number } })._handle?.fd ?? -1;
}

function isConnected(socket: Socket): boolean {
  try {
    socket.remoteAddress();
    return true;
  } catch {
    return false;
  }
}
