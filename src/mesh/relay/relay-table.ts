import type { PacketBatch } from '../../core/packets/packet-batch.js';
import type { Crypto } from '../../core/ports.js';
import { secretBytes } from '../../core/secret-bytes.js';
import { copyEndpoint, ENDPOINT_WORDS, Endpoint, remoteEquals } from '../../wire/endpoint.js';
import { coveredByMac1, MAC_BYTES, mac1 } from '../../wire/handshake-macs.js';
import { readInt32 } from '../../wire/little-endian.js';
import { MessageType, messageType } from '../../wire/messages.js';
import { type RelayFlow, RelayNode } from './relay-node.js';

/** A flow ends with its session: REJECT_AFTER_TIME, and slack for a response that was slow (whitepaper §6.2). */
const FLOW_MS = 180_000 + 20_000;
/** A node's former address counts for at least so long: its messages may be on a slow way, such as a carrier. */
const FORMER_MS = 10_000;
const SENDER_INDEX_AT = 4;
const RECEIVER_INDEX_AT = 4;
/** A response carries both indices. */
const RESPONSE_RECEIVER_AT = 8;
const LABEL_MAC1 = Buffer.from('mac1----');
const KEY_BYTES = 32;

/** Whom a message is for. */
export type RelayVerdict = 'hub' | 'relayed' | 'dropped' | 'both';

export interface RelayTableOptions {
  readonly crypto: Crypto;
  /** The nodes that a node may see. */
  readonly neighbours: (id: string) => Iterable<string>;
  readonly sees: (a: string, b: string) => boolean;
  /** Whether the hub's own device has a session with this index. */
  readonly isOwnIndex: (index: number) => boolean;
}

/**
 * Decides for each message at the hub's socket whom it is for, without a key that could open it.
 *
 * Initiations show it by their MAC1, which is keyed with the public key of whoever shall answer. All later messages carry an
 * index that their receiver chose, and that a handshake message has shown before. Flows belong to nodes, not to addresses: a
 * node that moves takes them along. Nothing is relayed from an address that no node has proved to be its own.
 *
 * Source: whitepaper §5.4.4 (MAC1), §5.4.2, §5.4.3 and §5.4.6 (indices).
 */
export class RelayTable {
  readonly #options: RelayTableOptions;
  readonly #nodes = new Map<string, RelayNode>();
  readonly #byEndpoint = new Map<string, RelayNode>();
  readonly #mac = secretBytes(MAC_BYTES);
  #ownMac1Key: Uint8Array | undefined;
  /** The node of the record that was looked up last, as rows of one sender follow each other. */
  readonly #last = new Endpoint();
  #lastNode: RelayNode | undefined;

  /** Destinations of the message that `judge` was asked about last. */
  readonly to: RelayNode[] = [];

  constructor(options: RelayTableOptions) {
    this.#options = options;
  }

  get nodes(): Iterable<RelayNode> {
    return this.#nodes.values();
  }

  node(id: string): RelayNode | undefined {
    return this.#nodes.get(id);
  }

  nodeAt(endpoint: Endpoint): RelayNode | undefined {
    return this.#byEndpoint.get(nameOf(endpoint.words, 0));
  }

  /** @param publicKey 32 bytes. */
  setOwnKey(publicKey: Uint8Array): void {
    this.#ownMac1Key = this.#mac1KeyOf(publicKey);
  }

  /** Adds a node, or changes its keys. @param publicKeys 32 bytes each. @param bitsPerSecond Absent: no bound. */
  putNode(id: string, publicKeys: readonly Uint8Array[], bitsPerSecond?: number): void {
    const node = this.#nodes.get(id) ?? new RelayNode(id);
    node.mac1Keys = publicKeys.map((key) => this.#mac1KeyOf(key));
    node.rate.setRate(bitsPerSecond);
    this.#nodes.set(id, node);
  }

  /** Ends all flows of a node at once. */
  removeNode(id: string): void {
    const node = this.#nodes.get(id);
    if (node === undefined) return;
    this.setEndpoint(id, undefined, 0);
    this.#nodes.delete(id);
    node.clear(this.#nodes.values());
  }

  /** Ends the flows between two nodes that may no longer see each other. */
  forgetHidden(): void {
    for (const node of this.#nodes.values())
      for (const [index, flow] of node.flows) if (!this.#options.sees(node.id, flow.to.id)) node.flows.delete(index);
  }

  /** Says where a node is from now on. @param endpoint Copied. An address that was another node's is this one's. */
  setEndpoint(id: string, endpoint: Endpoint | undefined, nowMs: number): void {
    const node = this.#nodes.get(id);
    if (node === undefined) return;
    const name = endpoint === undefined ? undefined : nameOf(endpoint.words, 0);
    if (node.endpointName !== name) this.#leave(node, endpoint === undefined, nowMs);
    node.endpoint = endpoint?.clone();
    node.endpointName = name;
    if (node.endpointName !== undefined) this.#byEndpoint.set(node.endpointName, node);
    this.#last.words.fill(0);
    this.#lastNode = undefined;
  }

  /** Decides about a row, and fills `to`. */
  judge(batch: PacketBatch, row: number, nowMs: number): RelayVerdict {
    this.to.length = 0;
    const at = batch.offset[row]!;
    const length = batch.length[row]!;
    const type = messageType(batch.bytes, at, length);
    const from = this.#senderOf(batch.endpointWords, batch.endpoint[row]! * ENDPOINT_WORDS);
    if (from === undefined) return 'hub';
    if (type === MessageType.TransportData || type === MessageType.CookieReply)
      return this.#alongFlow(from, readInt32(batch.bytes, at + RECEIVER_INDEX_AT), length, nowMs);
    const message = batch.bytes.subarray(at, at + length);
    if (type === MessageType.HandshakeInitiation) return this.#initiation(from, message, nowMs);
    return type === MessageType.HandshakeResponse ? this.#response(from, message, nowMs) : 'hub';
  }

  /** Forgets what has expired, and addresses that nodes left a while ago. */
  expire(nowMs: number): void {
    for (const node of this.#nodes.values()) {
      node.expireFlows(nowMs);
      if (node.formerUntilMs <= nowMs) this.#forgetFormer(node);
    }
    this.#last.words.fill(0);
    this.#lastNode = undefined;
  }

  /** Messages that a node sent before it moved are still on their way: its former address counts for a while. */
  #leave(node: RelayNode, isForGood: boolean, nowMs: number): void {
    this.#forgetFormer(node);
    node.formerName = node.endpointName;
    node.formerUntilMs = nowMs + FORMER_MS;
    node.endpointName = undefined;
    if (isForGood) this.#forgetFormer(node);
  }

  #forgetFormer(node: RelayNode): void {
    const { formerName } = node;
    if (formerName !== undefined && formerName !== node.endpointName && this.#byEndpoint.get(formerName) === node)
      this.#byEndpoint.delete(formerName);
    node.formerName = undefined;
  }

  #alongFlow(from: RelayNode, index: number, length: number, nowMs: number): RelayVerdict {
    const flow = from.flows.get(index);
    if (flow === undefined) return 'hub';
    const isOwn = this.#options.isOwnIndex(index);
    const verdict = this.#send(from, flow, length, nowMs);
    return isOwn ? (verdict === 'relayed' ? 'both' : 'hub') : verdict;
  }

  #initiation(from: RelayNode, message: Uint8Array, nowMs: number): RelayVerdict {
    if (this.#ownMac1Key === undefined || this.#hasMac1(message, this.#ownMac1Key)) return 'hub';
    const to = from.takeInitiation(nowMs) ? this.#addressee(from, message) : undefined;
    if (to === undefined) {
      from.counts.refusedInitiations++;
      return 'dropped';
    }
    const pair = from.pairTo(to);
    pair.initiations++;
    pair.lastInitiationMs = nowMs;
    from.addFlow(to, readInt32(message, SENDER_INDEX_AT), nowMs + FLOW_MS, nowMs);
    return this.#send(from, { to, expiresMs: Infinity }, message.length, nowMs);
  }

  #response(from: RelayNode, message: Uint8Array, nowMs: number): RelayVerdict {
    const flow = from.flows.get(readInt32(message, RESPONSE_RECEIVER_AT));
    if (flow === undefined) return 'hub';
    for (let each: RelayFlow | undefined = flow; each !== undefined; each = each.other) {
      from.addFlow(each.to, readInt32(message, SENDER_INDEX_AT), nowMs + FLOW_MS, nowMs);
      each.to.pairTo(from).lastResponseMs = nowMs;
      each.expiresMs = nowMs + FLOW_MS;
    }
    return this.#send(from, flow, message.length, nowMs);
  }

  #send(from: RelayNode, flow: RelayFlow, length: number, nowMs: number): RelayVerdict {
    if (!from.rate.take(length, nowMs)) {
      from.counts.rateDrops++;
      return 'dropped';
    }
    for (let each: RelayFlow | undefined = flow; each !== undefined; each = each.other)
      if (each.expiresMs > nowMs && each.to.endpoint !== undefined) this.to.push(each.to);
    if (this.to.length === 0) return 'dropped';
    from.counts.relayedMessages++;
    from.counts.relayedBytes += length;
    return 'relayed';
  }

  /** Tries the recent destinations first, the latest of them before all others. */
  #addressee(from: RelayNode, message: Uint8Array): RelayNode | undefined {
    const recent = [...from.pairs.keys()].reverse();
    for (const node of recent)
      if (this.#isFor(node, message)) return this.#options.sees(from.id, node.id) ? node : undefined;
    for (const id of this.#options.neighbours(from.id)) {
      const node = this.#nodes.get(id);
      if (node !== undefined && node !== from && this.#isFor(node, message)) return node;
    }
    return undefined;
  }

  #isFor(node: RelayNode, message: Uint8Array): boolean {
    return node.mac1Keys.some((key) => this.#hasMac1(message, key));
  }

  #hasMac1(message: Uint8Array, key: Uint8Array): boolean {
    this.#options.crypto.mac(this.#mac, key, coveredByMac1(message));
    // Public keys are no secret of the network's nodes: a comparison that ends early gives nothing away.
    return Buffer.compare(this.#mac, mac1(message)) === 0;
  }

  #mac1KeyOf(publicKey: Uint8Array): Uint8Array {
    const key = new Uint8Array(KEY_BYTES);
    this.#options.crypto.hash(key, LABEL_MAC1, publicKey);
    return key;
  }

  #senderOf(words: Int32Array, at: number): RelayNode | undefined {
    if (!remoteEquals(words, at, this.#last.words, 0)) {
      copyEndpoint(words, at, this.#last.words, 0);
      this.#lastNode = this.#byEndpoint.get(nameOf(words, at));
    }
    return this.#lastNode;
  }
}

/** The remote address and port of a record, as a key. */
function nameOf(words: Int32Array, at: number): string {
  return `${words[at]} ${words[at + 1]} ${words[at + 2]} ${words[at + 3]} ${words[at + 4]} ${words[at + 5]}`;
}
