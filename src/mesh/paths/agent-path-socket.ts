import type { PacketBatch } from '../../core/packets/packet-batch.js';
import { Verdict } from '../../core/packets/verdict.js';
import type { DatagramSocket } from '../../host/datagram-socket.js';
import { ForwardingSocket } from '../../host/forwarding-socket.js';
import { copyEndpoint, ENDPOINT_WORDS, Endpoint, FAMILY_PATH } from '../../wire/endpoint.js';
import { TRANSPORT_DATA_MIN_BYTES } from '../../wire/messages.js';

/** The ways of messages to one peer, asked for each batch. */
export interface PeerWays {
  /** The first way. `undefined`: there is none now. */
  readonly first: Endpoint | undefined;
  /** A second way for the same messages. */
  readonly second?: Endpoint | undefined;
}

/** Returns the ways to the peer with a number, and notes that messages leave for it. */
export type FindWays = (peer: number, isKeepalive: boolean) => PeerWays | undefined;

const NUMBER_WORD = 2;
/** The first word of the id of a peer, so that ids of others are left alone. */
const PEER_ID = 0x7065_6572;
const ID_BYTES = 16;

/** Returns the endpoint that stands for a peer, wherever it is. */
export function peerEndpoint(peer: number): Endpoint {
  const id = new Int32Array(ID_BYTES / 4);
  id[0] = PEER_ID;
  id[1] = peer;
  return Endpoint.forPath(new Uint8Array(id.buffer));
}

/**
 * The socket of an agent: its device knows each managed peer by an endpoint that never changes, and the way is chosen when a
 * message leaves.
 *
 * A message that takes both ways reaches the peer twice; the replay window drops its twin (whitepaper §5.4.6).
 */
export class AgentPathSocket extends ForwardingSocket {
  readonly #find: FindWays;
  readonly #seconds: (Endpoint | undefined)[] = [];

  constructor(socket: DatagramSocket, find: FindWays) {
    super(socket);
    this.#find = find;
  }

  override send(batch: PacketBatch, from: number): number {
    const isDoubled = this.#chooseWays(batch, from);
    const sent = super.send(batch, from);
    if (isDoubled) this.#sendAgain(batch, from, sent);
    return sent;
  }

  /** Puts the first ways into the records of the batch. @returns Whether any peer has a second way. */
  #chooseWays(batch: PacketBatch, from: number): boolean {
    let isDoubled = false;
    this.#seconds.length = batch.endpointCount;
    this.#seconds.fill(undefined);
    for (let row = from, last = -1; row < batch.count; row++) {
      const record = batch.endpoint[row]!;
      if (record === last || batch.verdict[row] !== Verdict.Pass) continue;
      last = record;
      const at = record * ENDPOINT_WORDS;
      if (batch.endpointWords[at] !== FAMILY_PATH || batch.endpointWords[at + NUMBER_WORD] !== PEER_ID) continue;
      const ways = this.#find(batch.endpointWords[at + NUMBER_WORD + 1]!, areKeepalives(batch, row));
      if (ways?.first !== undefined) copyEndpoint(ways.first.words, 0, batch.endpointWords, at);
      this.#seconds[record] = ways?.second;
      isDoubled ||= ways?.second !== undefined;
    }
    return isDoubled;
  }

  /** Sends the rows of peers with a second way once more. What finds no room is lost, as its twin went the first way. */
  #sendAgain(batch: PacketBatch, from: number, to: number): void {
    const { count } = batch;
    const verdicts = batch.verdict.slice(from, to);
    const words = batch.endpointWords.slice(0, batch.endpointCount * ENDPOINT_WORDS);
    for (let row = from; row < to; row++)
      if (this.#seconds[batch.endpoint[row]!] === undefined) batch.verdict[row] = Verdict.Filtered;
    for (const [record, second] of this.#seconds.entries())
      if (second !== undefined) copyEndpoint(second.words, 0, batch.endpointWords, record * ENDPOINT_WORDS);
    batch.count = to;
    super.send(batch, from);
    batch.count = count;
    batch.verdict.set(verdicts, from);
    batch.endpointWords.set(words);
  }
}

/** Tests whether a row and those behind it for the same endpoint are keepalives: an initiation may follow one. */
function areKeepalives(batch: PacketBatch, first: number): boolean {
  for (let row = first; row < batch.count && batch.endpoint[row] === batch.endpoint[first]; row++)
    if (batch.length[row] !== TRANSPORT_DATA_MIN_BYTES) return false;
  return true;
}
