import type { Device } from '../core/device.js';
import { PacketBatch } from '../core/packets/packet-batch.js';
import type { Clock, ScheduledCall } from './clock.js';
import type { DatagramSocket } from './datagram-socket.js';
import { DepartingBatch } from './departing-batch.js';
import type { Tun } from './tun.js';

/** A super-packet of 64 KiB cut to the usual MTU is 46 rows: room for several, and for one packet of the greatest MTU. */
const BATCH_ROWS = 256;
const BATCH_BYTES = 1024 * 1024;
/** A batch of fewer rows has most likely emptied the queue; the next event shows whether more waits. */
const LIGHT_ROWS = 8;
/** Rows taken from one side before the other side, timers and the control socket get their turn. */
const ROWS_PER_TURN = 512;
/** Messages of the device that waited so long for room in the socket are stale: timers have to go on. */
const OUTBOX_PATIENCE_MS = 5_000;

export interface DriverOptions {
  readonly device: Device;
  readonly socket: DatagramSocket;
  readonly tun: Tun;
  readonly clock: Clock;
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
 * Packets are sealed and opened by the AEAD stage that the device was made with. Whoever changes the device from
 * outside calls `settle` afterwards.
 */
export class Driver {
  /** Called by `settle` while events of the device wait to be drained. */
  onEvents: () => void = nothing;

  readonly #device: Device;
  readonly #tun: Tun;
  readonly #clock: Clock;
  #socket: DatagramSocket;

  readonly #inbound = new PacketBatch(BATCH_ROWS, BATCH_BYTES);
  readonly #outbound = new DepartingBatch(new PacketBatch(BATCH_ROWS, BATCH_BYTES));
  readonly #outbox: DepartingBatch;
  /** When the messages that wait in the outbox are given up. */
  #outboxStaleAt = Infinity;
  #isReadingTun = true;
  #timer: ScheduledCall | undefined;
  #timerAt = Infinity;
  #isRunDueQueued = false;
  #suspensions: number;
  #isClosed = false;

  constructor({ device, socket, tun, clock }: DriverOptions) {
    this.#device = device;
    this.#socket = socket;
    this.#tun = tun;
    this.#clock = clock;
    this.#suspensions = clock.suspensions;
    this.#outbox = new DepartingBatch(device.outbox);
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
   * Sends what the device has to send, and arms the timer for the moment when the device has to run again.
   *
   * Rare work is done once per turn of the event loop, and less of it than the socket delivers in one turn: a flood of
   * handshakes queues up in the device, which limits it, and not in the system's buffer, where it would displace data.
   */
  settle(): void {
    if (this.#isClosed) return;
    const nowMs = this.#readClock();
    this.#emptyOutbox(nowMs);
    if (this.#device.events.count > 0) this.onEvents();
    const deadline = this.#nextDeadline();
    if (deadline <= nowMs) this.#runDueSoon();
    else this.#arm(deadline);
  }

  /** Stops the loop. Socket, TUN and device stay the caller's to close. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#tun.onReadable = nothing;
    this.#socket.onReadable = nothing;
    this.#socket.onWritable = nothing;
  }

  #listen(socket: DatagramSocket): void {
    socket.onReadable = () => this.#readSocket();
    socket.onWritable = () => this.#goOnSending();
  }

  /** This host often answers at once what came in: its answer is read without waiting for an event. */
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
    const { aead } = this.#device;
    for (let rows = 0; rows < ROWS_PER_TURN && this.#socket.receive(batch) > 0; rows += batch.count) {
      const nowMs = this.#readClock();
      this.#device.classify(batch, nowMs);
      aead.open(batch);
      this.#device.admit(batch, nowMs);
      this.#tun.write(batch);
      if (batch.count < LIGHT_ROWS) return;
    }
  }

  #moveOutbound(): void {
    const { batch } = this.#outbound;
    const { aead } = this.#device;
    for (let rows = 0; rows < ROWS_PER_TURN && this.#hasRoom() && this.#tun.read(batch) > 0; rows += batch.count) {
      this.#device.route(batch, this.#readClock());
      aead.seal(batch);
      this.#outbound.send(this.#socket);
      if (batch.count < LIGHT_ROWS) break;
    }
    this.#throttleTun();
  }

  #hasRoom(): boolean {
    return !this.#outbox.isWaiting && !this.#outbound.isWaiting;
  }

  /** While the socket has no room nothing is read from the TUN: packets wait, or are dropped, in the queue of the TUN. */
  #throttleTun(): void {
    const isReading = this.#hasRoom();
    if (isReading === this.#isReadingTun) return;
    this.#isReadingTun = isReading;
    this.#tun.setReading(isReading);
  }

  /** The device's own messages go first: without handshakes there is nothing else to send. */
  #goOnSending(): void {
    if (this.#isClosed) return;
    const wasWaiting = this.#outbox.isWaiting;
    if (wasWaiting && this.#outbox.send(this.#socket)) this.#outbox.batch.clear();
    if (this.#outbound.isWaiting && !this.#outbox.isWaiting) this.#outbound.send(this.#socket);
    this.#throttleTun();
    if (wasWaiting) this.settle();
  }

  /** Messages that the socket has no room for wait for it, and nothing is added to the outbox meanwhile. */
  #emptyOutbox(nowMs: number): void {
    const { replies, outbox, aead } = this.#device;
    if (this.#outbox.isWaiting && nowMs >= this.#outboxStaleAt) {
      this.#outbox.giveUp();
      outbox.clear();
    }
    if (outbox.count > 0 && !this.#outbox.isWaiting) {
      aead.seal(outbox);
      if (this.#outbox.send(this.#socket)) outbox.clear();
      else this.#outboxStaleAt = nowMs + OUTBOX_PATIENCE_MS;
      this.#throttleTun();
    }
    if (replies.count > 0) {
      this.#tun.write(replies);
      replies.clear();
    }
  }

  #nextDeadline(): number {
    const ofTun = this.#tun.nextDeadline?.() ?? Infinity;
    return Math.min(this.#outbox.isWaiting ? this.#outboxStaleAt : this.#device.nextDeadline(), ofTun);
  }

  #runDueSoon(): void {
    if (this.#isRunDueQueued) return;
    this.#isRunDueQueued = true;
    this.#clock.callSoon(() => {
      this.#isRunDueQueued = false;
      if (!this.#isClosed) this.#runDue();
    });
  }

  #runDue(): void {
    const nowMs = this.#readClock();
    if (!this.#outbox.isWaiting) this.#device.runDue(nowMs);
    if (this.#tun.runDue !== undefined) {
      this.#tun.runDue(nowMs);
      this.#moveOutbound();
    }
    this.settle();
  }

  /** A timer that is armed for an earlier moment stays: it finds nothing due and arms again. */
  #arm(deadline: number): void {
    if (deadline >= this.#timerAt || deadline === Infinity) return;
    this.#timer?.cancel();
    this.#timerAt = deadline;
    this.#timer = this.#clock.callAt(deadline, () => {
      this.#timerAt = Infinity;
      this.settle();
    });
  }

  /** A sleep of the machine ends all sessions: the other side has given them up, and keys must not outlive it. */
  #readClock(): number {
    const nowMs = this.#clock.nowMs();
    if (this.#clock.suspensions !== this.#suspensions) {
      this.#suspensions = this.#clock.suspensions;
      this.#device.restart(nowMs);
    }
    return nowMs;
  }
}

function nothing(): void {}
