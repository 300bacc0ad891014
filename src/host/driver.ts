import type { Device } from '../core/device.js';
import { PacketBatch } from '../core/packets/packet-batch.js';
import type { AeadStage } from '../core/ports.js';
import type { DatagramSocket } from './datagram-socket.js';
import type { Tun } from './tun.js';

/** A super-packet of 64 KiB cut to the usual MTU is 46 rows: room for several, and for one of the greatest MTU. */
const BATCH_ROWS = 256;
const BATCH_BYTES = 1024 * 1024;
/** A batch of fewer rows has emptied the queue, most likely: the next event tells if there is more. */
const LIGHT_ROWS = 8;
/** Rows taken from one side before the other side, timers and the control socket get their turn. */
const ROWS_PER_TURN = 512;

export interface DriverOptions {
  readonly device: Device;
  readonly aead: AeadStage;
  readonly socket: DatagramSocket;
  readonly tun: Tun;
}

/**
 * The loop of one tunnel: moves batches between socket, device and TUN, and keeps the one timer.
 *
 * ```text
 * socket readable   receive → classify → open → admit → tun.write  ─▶  as if the TUN were readable
 * tun readable      read → route → seal → send                      ┐
 * timer                                                             ┴▶  settle
 * ```
 *
 * Whoever changes the device from outside calls `settle` afterwards.
 */
export class Driver {
  readonly #device: Device;
  readonly #aead: AeadStage;
  readonly #tun: Tun;
  #socket: DatagramSocket;

  readonly #inbound = new PacketBatch(BATCH_ROWS, BATCH_BYTES);
  readonly #outbound = new PacketBatch(BATCH_ROWS, BATCH_BYTES);
  /** First row of `#outbound` that the socket had no room for. */
  #unsentFrom = 0;
  #isBlocked = false;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Infinity;
  #isExpiringSoon = false;
  #isClosed = false;

  constructor({ device, aead, socket, tun }: DriverOptions) {
    this.#device = device;
    this.#aead = aead;
    this.#socket = socket;
    this.#tun = tun;
    this.#listen(socket);
    tun.onReadable = () => this.#readTun();
  }

  get socket(): DatagramSocket {
    return this.#socket;
  }

  /** Goes on with another socket, and closes the old one. */
  replaceSocket(socket: DatagramSocket): void {
    this.#socket.close();
    this.#socket = socket;
    this.#listen(socket);
    this.#goOnSending();
  }

  /**
   * Sends what the device has to say, and sees to it that it is asked again when it will have more to say.
   *
   * Rare work is done once per round of the event loop, and in a round less of it than the socket may give: while
   * handshakes pour in they are to queue up in the device, which knows what to do about it, not in the system's buffer,
   * where they would push out data.
   */
  settle(): void {
    if (this.#isClosed) return;
    this.#emptyOutbox();
    if (this.#device.nextDeadline() <= nowMs()) this.#expireSoon();
    else this.#arm();
  }

  /** Stops the loop. Socket, TUN and device stay the caller's to close. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#tun.onReadable = nothing;
    this.#socket.onReadable = nothing;
    this.#socket.onWritable = nothing;
  }

  #listen(socket: DatagramSocket): void {
    socket.onReadable = () => this.#readSocket();
    socket.onWritable = () => this.#goOnSending();
  }

  /** What came in is often answered at once by this host: then the answer need not wait for an event. */
  #readSocket(): void {
    this.#moveInbound();
    this.#moveOutbound();
    this.settle();
  }

  #readTun(): void {
    this.#moveOutbound();
    this.settle();
  }

  #moveInbound(): void {
    const batch = this.#inbound;
    for (let rows = 0; rows < ROWS_PER_TURN && this.#socket.receive(batch) > 0; rows += batch.count) {
      const now = nowMs();
      this.#device.classify(batch, now);
      this.#aead.open(batch);
      this.#device.admit(batch, now);
      this.#tun.write(batch);
      if (batch.count < LIGHT_ROWS) return;
    }
  }

  #moveOutbound(): void {
    const batch = this.#outbound;
    for (let rows = 0; rows < ROWS_PER_TURN && !this.#isBlocked && this.#tun.read(batch) > 0; rows += batch.count) {
      this.#device.route(batch, nowMs());
      this.#aead.seal(batch);
      this.#send(0);
      if (batch.count < LIGHT_ROWS) return;
    }
  }

  /** While the socket has no room nothing is read from the TUN: its queue is where packets are to wait, or be dropped. */
  #send(from: number): void {
    this.#unsentFrom = this.#socket.send(this.#outbound, from);
    const isBlocked = this.#unsentFrom < this.#outbound.count;
    if (isBlocked === this.#isBlocked) return;
    this.#isBlocked = isBlocked;
    this.#tun.setReading(!isBlocked);
  }

  #goOnSending(): void {
    if (this.#isBlocked && !this.#isClosed) this.#send(this.#unsentFrom);
  }

  /** A handshake message or keepalive that the socket has no room for is lost, as any datagram may be. */
  #emptyOutbox(): void {
    const { outbox, replies } = this.#device;
    if (outbox.count > 0) {
      this.#aead.seal(outbox);
      this.#socket.send(outbox, 0);
      outbox.clear();
    }
    if (replies.count > 0) {
      this.#tun.write(replies);
      replies.clear();
    }
  }

  #expireSoon(): void {
    if (this.#isExpiringSoon) return;
    this.#isExpiringSoon = true;
    setImmediate(() => {
      this.#isExpiringSoon = false;
      if (this.#isClosed) return;
      this.#device.expire(nowMs());
      this.settle();
    });
  }

  /** A timer that is armed for an earlier moment stays: it finds nothing due and arms again. */
  #arm(): void {
    const deadline = this.#device.nextDeadline();
    if (deadline >= this.#timerAt || deadline === Infinity) return;
    clearTimeout(this.#timer);
    this.#timerAt = deadline;
    this.#timer = setTimeout(() => this.#timerFired(), Math.max(deadline - nowMs(), 0));
  }

  #timerFired(): void {
    this.#timerAt = Infinity;
    this.settle();
  }
}

function nowMs(): number {
  return Math.floor(performance.now());
}

function nothing(): void {}
