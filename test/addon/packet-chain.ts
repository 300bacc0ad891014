/** The way of packets through all of the addon but its ciphers: TUN, socket, socket, TUN. */
import { type Addon, TUN_OFFLOAD_TCP, TUN_OFFLOAD_UDP } from '../../src/addon/interface.js';
import { PacketBatch } from '../../src/core/packets/packet-batch.js';
import { NativeSocket } from '../../src/host/native-socket.js';
import type { SeededRandom } from '../../src/sim/seeded-random.js';
import { Endpoint } from '../../src/wire/endpoint.js';
import { waitFor } from '../lab/wait.js';
import { type Emission, packetsOf } from './random-traffic.js';
import { cut, PLAIN } from './super-packet.js';
import { TunPair } from './tun-pair.js';

/** Datagrams on their way at a time: as many as the smallest default buffer of a system surely holds. */
const MAX_ROWS = 60;
const ARENA_BYTES = 1 << 19;

export class PacketChain {
  /** Writes to the far TUN: fewer than packets where packets were merged. */
  writes = 0;
  readonly #isOffloading: boolean;
  readonly #from: TunPair;
  readonly #to: TunPair;
  readonly #sender: NativeSocket;
  readonly #receiver: NativeSocket;
  readonly #endpoint: Endpoint;
  readonly #arrived = new PacketBatch(2 * MAX_ROWS, ARENA_BYTES);

  /** @param address Of the loopback interface, for the sockets. */
  constructor(addon: Addon, address: Uint8Array, isOffloading: boolean) {
    const offload = isOffloading ? TUN_OFFLOAD_TCP | TUN_OFFLOAD_UDP : 0;
    const sockets = { sendOffload: isOffloading, receiveOffload: isOffloading };
    this.#isOffloading = isOffloading;
    this.#from = new TunPair(addon, offload);
    this.#to = new TunPair(addon, offload);
    this.#sender = NativeSocket.open(addon, 0, sockets);
    this.#receiver = NativeSocket.open(addon, 0, sockets);
    this.#endpoint = Endpoint.from(address, this.#receiver.port);
  }

  /** Carries what is emitted, in batches of random sizes. @returns The packets that reach the far side. */
  async carry(emissions: readonly Emission[], random: SeededRandom): Promise<Uint8Array[]> {
    const packets: Uint8Array[] = [];
    for (const emission of emissions) {
      this.#emit(emission);
      const batch = new PacketBatch(1 + random.integer(MAX_ROWS), ARENA_BYTES);
      while (this.#from.read(batch) > 0) packets.push(...(await this.#transmit(batch)));
    }
    return packets;
  }

  close(): void {
    for (const part of [this.#from, this.#to, this.#sender, this.#receiver]) part.close();
  }

  #emit(emission: Emission): void {
    if (this.#isOffloading) this.#from.send(emission.header, emission.packet);
    else for (const packet of packetsOf(emission)) this.#from.send(PLAIN, packet);
  }

  async #transmit(batch: PacketBatch): Promise<Uint8Array[]> {
    for (let row = 0; row < batch.count; row++) batch.setEndpoint(row, this.#endpoint.words, 0);
    this.#sender.send(batch, 0);
    const packets: Uint8Array[] = [];
    for (let rows = 0; rows < batch.count; rows += this.#arrived.count) {
      await waitFor('the datagrams', () => this.#receiver.receive(this.#arrived) > 0);
      packets.push(...this.#write());
    }
    return packets;
  }

  #write(): Uint8Array[] {
    this.#to.write(this.#arrived);
    const received = this.#to.received();
    this.writes += received.length;
    return received.flatMap(({ header, packet }) => cut(header, packet));
  }
}
