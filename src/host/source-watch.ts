import type { PeerView } from '../core/session/peer-view.js';
import { ENDPOINT_WORDS, type Endpoint } from '../wire/endpoint.js';

/** Peers that are checked per turn of the event loop: some milliseconds of netlink requests. */
const PEERS_PER_TURN = 200;
/** Refused sources are collected for this long, and cleared in one pass over the peers. */
const COLLECT_MS = 100;

/** The part of a device whose endpoints are watched. */
export interface PeersWithSources {
  readonly peers: Iterable<PeerView>;
  /** Lets the system choose the source of datagrams to a peer again. */
  forgetSource(peer: PeerView): void;
}

/**
 * Clears the source address of a peer's endpoint when it is no longer right, so that the system chooses another source.
 *
 * The work is split into small portions: a sweep checks each pair of source and destination once, peers with a session
 * first, and lets data through between two portions.
 */
export class SourceWatch {
  readonly #device: PeersWithSources;
  readonly #isStale: (endpoint: Endpoint) => boolean;
  /** Hashes and texts of whole endpoint records. */
  readonly #refused = new Map<number, Set<string>>();
  #collecting: NodeJS.Timeout | undefined;
  #sweep: Sweep | undefined;
  #isSweepWanted = false;

  /** @param isStale Checks with the system. Never called for an endpoint without a source. */
  constructor(device: PeersWithSources, isStale: (endpoint: Endpoint) => boolean) {
    this.#device = device;
    this.#isStale = isStale;
  }

  /** Starts a sweep after addresses or routes changed. A sweep in progress is followed by one more. */
  routesChanged(): void {
    this.#isSweepWanted = true;
    if (this.#sweep === undefined) this.#startSweep();
  }

  /** Records that the system refused the source of this endpoint, which still has that source. */
  sourceRefused(endpoint: Endpoint): void {
    const hash = hashOf(endpoint.words);
    const texts = this.#refused.get(hash) ?? new Set();
    this.#refused.set(hash, texts.add(endpoint.words.join()));
    this.#collecting ??= setTimeout(() => this.#forgetRefused(), COLLECT_MS).unref();
  }

  close(): void {
    clearTimeout(this.#collecting);
    this.#collecting = undefined;
    this.#isSweepWanted = false;
    this.#sweep?.stop();
    this.#sweep = undefined;
  }

  #startSweep(): void {
    this.#isSweepWanted = false;
    this.#sweep = new Sweep(this.#device, this.#isStale, () => {
      this.#sweep = undefined;
      if (this.#isSweepWanted) this.#startSweep();
    });
  }

  #forgetRefused(): void {
    this.#collecting = undefined;
    for (const peer of this.#device.peers) {
      const { endpoint } = peer;
      if (endpoint?.hasSource && this.#refused.get(hashOf(endpoint.words))?.has(endpoint.words.join()))
        this.#device.forgetSource(peer);
    }
    this.#refused.clear();
  }
}

/** One pass over all peers, a portion per turn of the event loop. */
class Sweep {
  readonly #device: PeersWithSources;
  readonly #peers: readonly PeerView[];
  readonly #isStale: (endpoint: Endpoint) => boolean;
  readonly #done: () => void;
  /** Answers of this sweep, by the endpoint without its port. */
  readonly #answers = new Map<string, boolean>();
  #next = 0;
  #turn: NodeJS.Immediate | undefined;

  constructor(device: PeersWithSources, isStale: (endpoint: Endpoint) => boolean, done: () => void) {
    this.#device = device;
    this.#peers = liveFirst(device.peers);
    this.#isStale = isStale;
    this.#done = done;
    this.#turn = setImmediate(() => this.#goOn());
  }

  stop(): void {
    clearImmediate(this.#turn);
  }

  #goOn(): void {
    const end = Math.min(this.#next + PEERS_PER_TURN, this.#peers.length);
    for (; this.#next < end; this.#next++) {
      const peer = this.#peers[this.#next]!;
      if (peer.endpoint?.hasSource && this.#ask(peer.endpoint)) this.#device.forgetSource(peer);
    }
    if (this.#next < this.#peers.length) this.#turn = setImmediate(() => this.#goOn());
    else this.#done();
  }

  #ask(endpoint: Endpoint): boolean {
    const key = pairOf(endpoint);
    const known = this.#answers.get(key);
    if (known !== undefined) return known;
    const isStale = this.#isStale(endpoint);
    this.#answers.set(key, isStale);
    return isStale;
  }
}

/** Returns the peers with a source. Peers that have had a handshake come first, since only they send. */
function liveFirst(peers: Iterable<PeerView>): PeerView[] {
  const live: PeerView[] = [];
  const idle: PeerView[] = [];
  for (const peer of peers) if (peer.endpoint?.hasSource) (peer.lastHandshakeUnixMs === 0 ? idle : live).push(peer);
  return live.concat(idle);
}

/** Returns source and destination without the port, which does not affect a route. */
function pairOf({ family, words }: Endpoint): string {
  return `${family},${words.subarray(1).join()}`;
}

function hashOf(words: Int32Array): number {
  let hash = 0;
  for (let i = 0; i < ENDPOINT_WORDS; i++) hash = Math.imul(hash ^ words[i]!, 0x9e37_79b1);
  return hash;
}
