import type { DeviceChange } from '../core/configuration.js';
import { Device } from '../core/device.js';
import type { PacketBatch } from '../core/packets/packet-batch.js';
import { Verdict } from '../core/packets/verdict.js';
import type { AeadStage, Crypto } from '../core/ports.js';
import { Peer } from '../core/session/peer.js';
import { ENDPOINT_BYTES } from '../wire/endpoint.js';
import { AuditedAead, type NonceLedger } from './audited-aead.js';
import { fillInbound, passedPackets } from './batch-rows.js';
import type { Datagram } from './datagram.js';
import type { EventQueue, ScheduledEvent } from './event-queue.js';
import type { Host } from './host.js';
import { type PeerSettings, peerChange } from './peer-settings.js';
import { meteredCrypto, Processor, ROW_COST_US } from './processor.js';
import type { SeededRandom } from './seeded-random.js';
import { recordSource, SocketAddress } from './socket-address.js';
import { SocketBuffer } from './socket-buffer.js';
import { WallClock } from './wall-clock.js';

/** Parts that all nodes of a simulation share. */
export interface NodeSurroundings {
  readonly events: EventQueue;
  readonly random: SeededRandom;
  readonly ledger: NonceLedger;
  readonly crypto: Crypto;
  /** Whether work takes virtual time. */
  readonly hasCosts: boolean;
  makeAead(): AeadStage;
  /** Batches are used during one turn of one node only, so one pair serves all. */
  readonly inbound: PacketBatch;
  readonly outbound: PacketBatch;
}

/** The greatest number of rounds of one settling; a device that exceeds it is in an endless loop. */
const MAX_SETTLE_ROUNDS = 10_000;
/** Datagrams that the driver takes from the socket before other work gets its turn. */
const ROWS_PER_TURN = 512;

/**
 * A host that runs WireGuard: one device with everything around it, on virtual time.
 *
 * The node behaves as the driver does: it hands datagrams and packets to the device, sends the results, and runs the
 * device at its announced deadline. A device that announces no deadline is never run.
 */
export class TunnelNode {
  readonly name: string;
  readonly host: Host;
  readonly wallClock: WallClock;
  /** Times that the timer fired. */
  wakeUps = 0;
  /** Packets that came out of the tunnel, oldest first. Tests may clear the list. */
  readonly received: Uint8Array[] = [];
  /** Packets from the device itself to the local system: ICMP errors. */
  readonly replies: Uint8Array[] = [];
  /** Called for each packet instead of adding it to `received`. May send packets. */
  onPacket: ((packet: Uint8Array) => void) | undefined;

  readonly #surroundings: NodeSurroundings;
  readonly #processor: Processor;
  #device: Device;
  #aead: AuditedAead;
  #port: number;
  readonly #socketBuffer = new SocketBuffer();
  #timer: ScheduledEvent | undefined;
  #isTurnRequested = false;

  constructor(name: string, host: Host, port: number, unixMs: number, surroundings: NodeSurroundings) {
    this.name = name;
    this.host = host;
    this.wallClock = new WallClock(surroundings.events, unixMs);
    this.#surroundings = surroundings;
    this.#port = port;
    this.#processor = new Processor(surroundings.hasCosts);
    this.#aead = this.#makeAead();
    this.#device = this.#makeDevice();
    host.listen(port, (datagram) => this.#enqueue(datagram));
  }

  get device(): Device {
    return this.#device;
  }

  get aead(): AuditedAead {
    return this.#aead;
  }

  get port(): number {
    return this.#port;
  }

  get nowMs(): number {
    return this.#surroundings.events.nowMs;
  }

  /** Returns the node's reachable address: the first one, unless another one is given. */
  address(of: string = this.host.addresses[0]!): SocketAddress {
    return new SocketAddress(of, this.#port);
  }

  /** Loses all state, as when the process is killed. `configure` must follow. */
  reboot(): void {
    this.#disarm();
    this.#aead = this.#makeAead();
    this.#device = this.#makeDevice();
    this.#socketBuffer.clear();
  }

  /** Binds the socket to another port. */
  rebind(port: number): void {
    this.host.close(this.#port);
    this.#port = port;
    this.host.listen(port, (datagram) => this.#enqueue(datagram));
    this.#device.setListenPort(port);
  }

  apply(change: Partial<DeviceChange>): void {
    const whole = { replacePeers: false, peers: [], ...change };
    this.#device.checkChange(whole);
    this.#device.applyChange(whole, this.nowMs);
    this.#settle();
  }

  setPrivateKey(privateKey: Uint8Array): void {
    this.apply({ privateKey });
  }

  setPeer(publicKey: Uint8Array, settings: PeerSettings): Peer {
    this.apply({ peers: [peerChange(publicKey, settings)] });
    return this.peer(publicKey);
  }

  removePeer(publicKey: Uint8Array): void {
    this.apply({ peers: [{ ...peerChange(publicKey, {}), isRemoval: true }] });
  }

  /** Returns the peer with its internal state, for tests. @throws {RangeError} if there is no such peer. */
  peer(publicKey: Uint8Array): Peer {
    const peer = this.#device.peer(publicKey);
    if (!(peer instanceof Peer)) throw new RangeError(`${this.name} has no such peer`);
    return peer;
  }

  setLinkUp(isUp: boolean): void {
    this.#device.setLinkUp(isUp, this.nowMs);
    this.#settle();
  }

  /** Sends packets from the local system into the tunnel, in as few batches as possible. */
  sendPackets(packets: readonly Uint8Array[]): void {
    for (let from = 0; from < packets.length; ) from += this.#sendBatch(packets, from);
    this.#settle();
  }

  sendPacket(packet: Uint8Array): void {
    this.sendPackets([packet]);
  }

  /** Hands datagrams to the device at once, past the network. */
  receive(datagrams: readonly Datagram[]): void {
    this.#moveInbound(datagrams);
    this.#settle();
  }

  /** Runs the device's due work, as a driver may at any time. */
  poke(): void {
    this.#device.runDue(this.nowMs);
    this.#settle();
  }

  #makeAead(): AuditedAead {
    return new AuditedAead(this.#surroundings.makeAead(), this.#surroundings.ledger);
  }

  #makeDevice(): Device {
    const { random } = this.#surroundings;
    const crypto = meteredCrypto(this.#surroundings.crypto, (costUs) => this.#processor.charge(costUs, this.nowMs));
    const environment = {
      random: (out: Uint8Array) => random.fill(out),
      unixTimeMs: () => this.wallClock.unixMs,
    };
    const device = new Device({ crypto, environment, aead: this.#aead });
    device.setListenPort(this.#port);
    return device;
  }

  /** Queues a datagram. Datagrams of one millisecond reach the device in one batch. */
  #enqueue(datagram: Datagram): void {
    this.#socketBuffer.push(datagram);
    this.#requestTurn();
  }

  /** Schedules one more round of the loop, as soon as the processor is free. */
  #requestTurn(): void {
    if (this.#isTurnRequested) return;
    this.#isTurnRequested = true;
    this.#surroundings.events.schedule(this.#processor.freeAtMs(this.nowMs), () => {
      this.#isTurnRequested = false;
      this.receive(this.#socketBuffer.take(ROWS_PER_TURN));
    });
  }

  #moveInbound(datagrams: readonly Datagram[]): void {
    const { inbound } = this.#surroundings;
    for (let next = 0; next < datagrams.length; ) {
      next += fillInbound(inbound, datagrams, next);
      this.#processor.charge(inbound.count * ROW_COST_US, this.nowMs);
      this.#device.classify(inbound, this.nowMs);
      this.#aead.open(inbound);
      this.#device.admit(inbound, this.nowMs);
      this.#deliver(passedPackets(inbound));
    }
  }

  #sendBatch(packets: readonly Uint8Array[], from: number): number {
    const { outbound } = this.#surroundings;
    outbound.clear();
    for (const packet of packets.slice(from, from + outbound.capacity)) {
      const row = outbound.appendRow(packet.length);
      if (row < 0) break;
      outbound.bytes.set(packet, outbound.offset[row]);
    }
    const { count } = outbound;
    this.#processor.charge(count * ROW_COST_US, this.nowMs);
    this.#device.route(outbound, this.nowMs);
    this.#aead.seal(outbound);
    this.#transmit(outbound);
    return count;
  }

  /** Runs due work while the processor is free; after each part the socket gets its turn. */
  #settle(): void {
    for (let round = 0; round < MAX_SETTLE_ROUNDS; round++) {
      if (this.#processor.freeAtMs(this.nowMs) > this.nowMs) break;
      this.#runDue();
      if (!this.#socketBuffer.isEmpty) break;
      if (this.#device.nextDeadline() > this.nowMs) {
        this.#arm();
        return;
      }
      if (round + 1 === MAX_SETTLE_ROUNDS) throw new Error(`${this.name} does not come to rest`);
    }
    this.#requestTurn();
  }

  #runDue(): void {
    const { outbox, replies } = this.#device;
    this.#device.runDue(this.nowMs);
    this.#processor.charge(outbox.count * ROW_COST_US, this.nowMs);
    this.#aead.seal(outbox);
    this.#transmit(outbox);
    this.replies.push(...passedPackets(replies));
    outbox.clear();
    replies.clear();
  }

  #arm(): void {
    const deadline = this.#device.nextDeadline();
    if (deadline === this.#timer?.atMs) return;
    this.#disarm();
    if (deadline === Infinity) return;
    if (!Number.isInteger(deadline)) throw new RangeError(`${this.name} announced ${deadline} as deadline`);
    this.#timer = this.#surroundings.events.schedule(deadline, () => this.#wake());
  }

  #disarm(): void {
    if (this.#timer !== undefined) this.#timer.isCancelled = true;
    this.#timer = undefined;
  }

  #wake(): void {
    this.#timer = undefined;
    this.wakeUps++;
    this.#settle();
  }

  #transmit(batch: PacketBatch): void {
    for (let row = 0; row < batch.count; row++) {
      if (batch.verdict[row] !== Verdict.Pass) continue;
      const at = batch.offset[row]!;
      const recordAt = batch.endpoint[row]! * ENDPOINT_BYTES;
      this.host.send({
        port: this.#port,
        to: SocketAddress.fromRecord(batch.endpointBytes, recordAt),
        bytes: batch.bytes.slice(at, at + batch.length[row]!),
        trafficClass: batch.trafficClass[row]!,
        source: recordSource(batch.endpointBytes, recordAt),
      });
    }
  }

  #deliver(packets: readonly Uint8Array[]): void {
    for (const packet of packets) {
      if (this.onPacket === undefined) this.received.push(packet);
      else this.onPacket(packet);
    }
  }
}
