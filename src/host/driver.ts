import type { Device } from '../core/device.js';
import { PacketBatch } from '../core/packets/packet-batch.js';
import type { Clock, ScheduledCall } from './clock.js';
import type { DatagramSocket } from './datagram-socket.js';
import { DepartingBatch } from './departing-batch.js';
import type { Tun } from './tun.js';

/** Room for several super-packets, each 46 rows at the usual MTU, and for one packet of the greatest MTU. */
const BATCH_ROWS = 256;
const BATCH_BYTES = 1024 * 1024;
/** A batch of fewer rows has most likely emptied the queue; the next event shows whether more rows wait. */
const LIGHT_ROWS = 8;
/** Rows taken from one side before the other side, timers and the control socket get their turn. */
const ROWS_PER_TURN = 512;
/** A timer this much too early is armed anew: no deadline of a tunnel that carries data both ways is so far behind its timer. */
const STALE_TIMER_MS = 15_000;
/** Messages of the device that waited this long for room in the socket are stale and dropped. */
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
 * Packets are sealed and opened by the AEAD stage that the device was made with. A caller that changes the device must
 * call `settle` afterwards.
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
  /** The time at which the messages in the outbox are dropped as stale. */
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

  /** Replaces the socket, and closes the old socket. */
  replaceSocket(socket: DatagramSocket): void {
    this.#socket.close();
    this.#socket = socket;
    this.#listen(socket);
    this.#goOnSending();
  }

  /**
   * Sends the device's messages, and arms the timer for the device's next deadline.
   *
   * Rare work is done once per turn of the event loop, and slower than the socket delivers: a flood of handshakes queues
   * up in the device, which limits the flood, and not in the system's buffer, where it would displace data.
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

  /** Stops the loop. The caller closes socket, TUN and device. */
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

  /** Reads from the socket, then from the TUN: this host often answers at once, before an event announces the answer. */
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

  /** Stops reading from the TUN while the socket has no room: packets wait, or are dropped, in the TUN's queue. */
  #throttleTun(): void {
    const isReading = this.#hasRoom();
    if (isReading === this.#isReadingTun) return;
    this.#isReadingTun = isReading;
    this.#tun.setReading(isReading);
  }

  /** Continues sending. The device's own messages go first, since all other traffic depends on handshakes. */
  #goOnSending(): void {
    if (this.#isClosed) return;
    const wasWaiting = this.#outbox.isWaiting;
    if (wasWaiting && this.#outbox.send(this.#socket)) this.#outbox.batch.clear();
    if (this.#outbound.isWaiting && !this.#outbox.isWaiting) this.#outbound.send(this.#socket);
    this.#throttleTun();
    if (wasWaiting) this.settle();
  }

  /** Sends the outbox. While messages wait for room in the socket, nothing is added to the outbox. */
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

  /**
   * Arms the timer. A timer that is armed for a somewhat earlier moment is kept, since deadlines move later with nearly every
   * packet: it finds nothing due and is armed again. A much earlier one would wake an idle process for nothing.
   */
  #arm(deadline: number): void {
    const lateMs = deadline - this.#timerAt; // not a number where neither there is a timer, nor one is needed
    if (Number.isNaN(lateMs) || (lateMs >= 0 && lateMs < STALE_TIMER_MS)) return;
    this.#timer?.cancel(lateMs > 0);
    this.#timer = undefined;
    this.#timerAt = deadline;
    if (deadline === Infinity) return;
    this.#timer = this.#clock.callAt(deadline, () => {
      this.#timer = undefined;
      this.#timerAt = Infinity;
      this.settle();
    });
  }

  /** Reads the clock. A sleep of the machine ends all sessions, since keys must not outlive a suspend. */
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
