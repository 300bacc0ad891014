import { TokenBucket } from '../../policy/token-bucket.js';
import type { Endpoint } from '../../wire/endpoint.js';

/** A session between two nodes, as the relay knows it: by the index that its receiver chose. */
export interface RelayFlow {
  /** The node that messages with this index go to. */
  readonly to: RelayNode;
  expiresMs: number;
  /** Another flow of the same sender with the same index. */
  readonly other?: RelayFlow;
}

/** The handshakes that the relay has carried from a node to another one of late. */
export interface RelayPair {
  initiations: number;
  lastInitiationMs: number;
  /** −Infinity: never. */
  lastResponseMs: number;
}

/** Counts of one node. */
export interface RelayCounts {
  relayedMessages: number;
  relayedBytes: number;
  /** Initiations beyond the rate, and those for nobody that the node may see. */
  refusedInitiations: number;
  /** Messages beyond the node's rate. */
  rateDrops: number;
  /** Flows that made room for newer ones of the same node. */
  displacedFlows: number;
}

/** Bounds on one node, so that nobody grows the relay's memory or takes all of its time (mesh.md §3). */
export const MAX_FLOWS_PER_NODE = 2_048;
export const MAX_PAIRS_PER_NODE = 32;
const INITIATIONS_PER_SECOND = 20;
const INITIATIONS_AT_ONCE = 100;

/** A place in the table of flows that a node's message made. */
interface MadeFlow {
  readonly from: RelayNode;
  readonly index: number;
  readonly flow: RelayFlow;
}

/** A node of the relay. */
export class RelayNode {
  readonly id: string;
  /** Flows of messages from this node, by receiver index. */
  readonly flows = new Map<number, RelayFlow>();
  /** Recent destinations, the latest last. */
  readonly pairs = new Map<RelayNode, RelayPair>();
  readonly rate = new TokenBucket();
  readonly counts: RelayCounts = {
    relayedMessages: 0,
    relayedBytes: 0,
    refusedInitiations: 0,
    rateDrops: 0,
    displacedFlows: 0,
  };
  /** Keys of MAC1, one for each public key. */
  mac1Keys: readonly Uint8Array[] = [];
  /** Where the node is, as it has proved by a message to the hub. */
  endpoint: Endpoint | undefined;
  endpointName: string | undefined;
  /** The endpoint before. */
  formerName: string | undefined;
  formerUntilMs = 0;
  readonly #made: MadeFlow[] = [];
  #tokens = INITIATIONS_AT_ONCE;
  #tokensMs = 0;

  constructor(id: string) {
    this.id = id;
  }

  /** Takes the right to send one initiation. */
  takeInitiation(nowMs: number): boolean {
    const refill = ((nowMs - this.#tokensMs) * INITIATIONS_PER_SECOND) / 1_000;
    this.#tokens = Math.min(INITIATIONS_AT_ONCE, this.#tokens + refill);
    this.#tokensMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  /** Remembers that messages of `from` with `index` are for this node. Renews the flow if it is known. */
  addFlow(from: RelayNode, index: number, expiresMs: number, nowMs: number): void {
    for (let known = from.flows.get(index); known !== undefined; known = known.other)
      if (known.to === this) {
        known.expiresMs = expiresMs;
        return;
      }
    this.expireFlows(nowMs);
    if (this.#made.length >= MAX_FLOWS_PER_NODE) {
      this.counts.displacedFlows++;
      removeFlow(this.#made.shift()!);
    }
    const other = from.flows.get(index);
    const flow: RelayFlow = { to: this, expiresMs, ...(other === undefined ? {} : { other }) };
    from.flows.set(index, flow);
    this.#made.push({ from, index, flow });
  }

  /** Forgets flows whose handshake is too long ago, oldest first. */
  expireFlows(nowMs: number): void {
    while (this.#made.length > 0 && this.#made[0]!.flow.expiresMs <= nowMs) removeFlow(this.#made.shift()!);
  }

  /** Returns what is known of a pair, as the latest one. The oldest pair makes room. */
  pairTo(other: RelayNode): RelayPair {
    const pair = this.pairs.get(other) ?? { initiations: 0, lastInitiationMs: -Infinity, lastResponseMs: -Infinity };
    this.pairs.delete(other);
    this.pairs.set(other, pair);
    if (this.pairs.size > MAX_PAIRS_PER_NODE) this.pairs.delete(this.pairs.keys().next().value!);
    return pair;
  }

  /** Tests whether the last initiation to a node was answered, or a later handshake that the other node began. */
  isAnsweredBy(other: RelayNode): boolean {
    const lastResponseMs = Math.max(lastResponse(this, other), lastResponse(other, this));
    return lastResponseMs >= (this.pairs.get(other)?.lastInitiationMs ?? Infinity);
  }

  /** Forgets all flows to and from this node. */
  clear(nodes: Iterable<RelayNode>): void {
    for (const made of this.#made.splice(0)) removeFlow(made);
    this.flows.clear();
    for (const node of nodes) node.#forget(this);
  }

  #forget(gone: RelayNode): void {
    this.pairs.delete(gone);
    const kept = this.#made.filter(({ from }) => from !== gone);
    if (kept.length < this.#made.length) this.#made.splice(0, this.#made.length, ...kept);
  }
}

function lastResponse(from: RelayNode, to: RelayNode): number {
  return from.pairs.get(to)?.lastResponseMs ?? -Infinity;
}

function removeFlow({ from, index, flow }: MadeFlow): void {
  const first = from.flows.get(index);
  const rest = without(first, flow);
  if (rest === undefined) from.flows.delete(index);
  else if (rest !== first) from.flows.set(index, rest);
}

function without(list: RelayFlow | undefined, flow: RelayFlow): RelayFlow | undefined {
  if (list === undefined || list === flow) return list?.other;
  const other = without(list.other, flow);
  if (other === list.other) return list;
  const { other: _, ...rest } = list;
  return other === undefined ? rest : { ...rest, other };
}
