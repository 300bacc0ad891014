import type { PacketBatch } from '../../core/packets/packet-batch.js';
import { Verdict } from '../../core/packets/verdict.js';
import type { DatagramSocket } from '../../host/datagram-socket.js';
import { ForwardingSocket } from '../../host/forwarding-socket.js';
import { ENDPOINT_WORDS, Endpoint, FAMILY_PATH } from '../../wire/endpoint.js';
import { appendDatagram } from '../relay/batch-rows.js';

/** A connection that carries datagrams, such as a WebSocket. */
export interface CarrierConnection {
  /** Sends a datagram, or drops it where too much waits. The bytes are the connection's own. */
  send(datagram: Uint8Array): void;
  close(): void;
}

const ADDRESS_WORD = 2;
const CARRIER_ID = 0x6361_7272;
const ID_BYTES = 16;
/** Datagrams that came in and wait for the loop; more are dropped. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;

interface Arrived {
  readonly datagram: Uint8Array;
  readonly from: Endpoint;
}

/** A UDP socket and any number of carriers as one socket: each carrier is one more address. */
export class CarrierSocket extends ForwardingSocket {
  /** Datagrams that were dropped, since the loop did not keep up. */
  dropped = 0;
  readonly #connections = new Map<number, CarrierConnection>();
  readonly #arrived: Arrived[] = [];
  #arrivedBytes = 0;
  #next = 1;
  #isTurnOfUdp = true;
  #isAnnounced = false;
  #onReadable: () => void = () => {};

  constructor(udp: DatagramSocket) {
    super(udp);
    super.onReadable = () => this.#onReadable();
  }

  override set onReadable(listener: () => void) {
    this.#onReadable = listener;
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** @returns The endpoint that stands for the connection. */
  addConnection(connection: CarrierConnection): Endpoint {
    const number = this.#next++;
    this.#connections.set(number, connection);
    return carrierEndpoint(number);
  }

  /** Closes the connection. Later datagrams to it are dropped. */
  removeConnection(endpoint: Endpoint): void {
    const number = numberOf(endpoint.words, 0)!;
    this.#connections.get(number)?.close();
    this.#connections.delete(number);
  }

  /** Takes a datagram that came by a connection. @param datagram Not changed afterwards. */
  deliver(from: Endpoint, datagram: Uint8Array): void {
    if (this.#arrivedBytes + datagram.length > MAX_WAITING_BYTES) {
      this.dropped++;
      return;
    }
    this.#arrived.push({ datagram, from });
    this.#arrivedBytes += datagram.length;
    this.#announce();
  }

  override receive(batch: PacketBatch): number {
    this.#isTurnOfUdp = !this.#isTurnOfUdp;
    if (this.#isTurnOfUdp || this.#arrived.length === 0) {
      const rows = super.receive(batch);
      if (rows > 0 || this.#arrived.length === 0) return rows;
    }
    return this.#takeArrived(batch);
  }

  override send(batch: PacketBatch, from: number): number {
    if (this.#connections.size === 0) return super.send(batch, from);
    for (let row = from; row < batch.count; row++) {
      if (batch.verdict[row] !== Verdict.Pass) continue;
      const number = numberOf(batch.endpointWords, batch.endpoint[row]! * ENDPOINT_WORDS);
      if (number === undefined) return this.#sendMixed(batch, from);
    }
    for (let row = from; row < batch.count; row++) this.#carry(batch, row);
    return batch.count;
  }

  override close(): void {
    super.close();
    for (const connection of this.#connections.values()) connection.close();
    this.#connections.clear();
  }

  /** Sends the rows of carriers one by one, and all others as one batch. */
  #sendMixed(batch: PacketBatch, from: number): number {
    const carried: number[] = [];
    for (let row = from; row < batch.count; row++)
      if (numberOf(batch.endpointWords, batch.endpoint[row]! * ENDPOINT_WORDS) !== undefined) carried.push(row);
    const verdicts = carried.map((row) => batch.verdict[row]!);
    for (const row of carried) batch.verdict[row] = Verdict.Filtered;
    const sent = super.send(batch, from);
    for (const [i, row] of carried.entries()) {
      batch.verdict[row] = verdicts[i]!;
      if (row < sent) this.#carry(batch, row);
    }
    return sent;
  }

  #carry(batch: PacketBatch, row: number): void {
    if (batch.verdict[row] !== Verdict.Pass) return;
    const number = numberOf(batch.endpointWords, batch.endpoint[row]! * ENDPOINT_WORDS)!;
    const at = batch.offset[row]!;
    this.#connections.get(number)?.send(batch.bytes.slice(at, at + batch.length[row]!));
  }

  #takeArrived(batch: PacketBatch): number {
    batch.clear();
    let taken = 0;
    for (const { datagram, from } of this.#arrived) {
      if (!appendDatagram(batch, datagram, from.words)) break;
      this.#arrivedBytes -= datagram.length;
      taken++;
    }
    this.#arrived.splice(0, taken);
    if (this.#arrived.length > 0) this.#announce();
    return taken;
  }

  #announce(): void {
    if (this.#isAnnounced) return;
    this.#isAnnounced = true;
    setImmediate(() => {
      this.#isAnnounced = false;
      this.#onReadable();
    });
  }
}

function carrierEndpoint(number: number): Endpoint {
  const id = new Int32Array(ID_BYTES / 4);
  id[0] = CARRIER_ID;
  id[1] = number;
  return Endpoint.forPath(new Uint8Array(id.buffer));
}

/** @returns The number of a carrier; `undefined`: another endpoint. */
function numberOf(words: Int32Array, at: number): number | undefined {
  const isCarrier = words[at] === FAMILY_PATH && words[at + ADDRESS_WORD] === CARRIER_ID;
  return isCarrier ? words[at + ADDRESS_WORD + 1] : undefined;
}
