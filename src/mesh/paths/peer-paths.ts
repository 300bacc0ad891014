import type { PeerView } from '../../core/session/peer-view.js';
import type { Clock, ScheduledCall } from '../../host/clock.js';
import type { Endpoint } from '../../wire/endpoint.js';
import { ProbeAnswers } from '../probes/probe-answers.js';
import type { ProbeKeys } from '../probes/probe-keys.js';
import { formatRequest, hasIntegrity, parseStun, type StunMessage } from '../probes/stun-message.js';
import type { PeerWays } from './agent-path-socket.js';
import { type Candidate, isSameRemote } from './candidate.js';
import { HubPath } from './hub-path.js';
import { PeerPath } from './peer-path.js';

export const HUB_NUMBER = 0;
const MAX_PENDING = 4_096;
const MAX_EXPECTED = 64;

export interface PeerPathsOptions {
  readonly clock: Clock;
  readonly keys: ProbeKeys;
  readonly random: (bytes: Uint8Array) => void;
  readonly sendProbe: (bytes: Uint8Array, to: Endpoint) => void;
  readonly askPunch: (node: string, attempt: number) => void;
  /** The hub's path wants the carrier, or no longer. */
  readonly wantCarrier: (isWanted: boolean) => void;
  /** The hub has to hear from this host now. */
  readonly greetHub: () => void;
  readonly onChange: () => void;
}

/** The path of a node as it is now. */
export interface PathView {
  readonly kind: 'direct' | 'relay' | 'carried';
  readonly endpoint?: Endpoint;
  readonly rttMs?: number;
  /** Punches without an answer so far. */
  readonly attempts: number;
}

/** A peer as the device has it, which changes as the device runs. */
type DevicePeer = Pick<PeerView, 'heardFrom' | 'rxBytes' | 'lastHandshakeUnixMs'>;

/** A managed peer: its path, and whose it is. */
interface ManagedPeer {
  readonly number: number;
  readonly node: string;
  publicKey: Uint8Array;
  readonly path: PeerPath;
  /** Absent: not looked for since the device has changed. */
  view: DevicePeer | undefined;
  /** When the last handshake was that this path knows of. */
  handshakeUnixMs: number;
  /** Public address of a stock node: used beside the relay, until the peer is heard from there. */
  fixed: Endpoint | undefined;
  shown: string;
}

/** The paths of all peers, with the probes between them, and one timer. */
export class PeerPaths {
  readonly hub: HubPath;
  readonly #options: PeerPathsOptions;
  readonly #answers: ProbeAnswers;
  readonly #peers = new Map<number, ManagedPeer>();
  readonly #byNode = new Map<string, ManagedPeer>();
  readonly #pending = new Map<string, number>();
  /** Peers that were punched of late: their probes are looked for first. */
  readonly #expected = new Set<ManagedPeer>();
  /** Finds a peer of the device. */
  findPeer: (publicKey: Uint8Array) => DevicePeer | undefined = () => undefined;
  #next = HUB_NUMBER + 1;
  #timer: ScheduledCall | undefined;
  #timerAtMs = Infinity;
  #isClosed = false;

  constructor(options: PeerPathsOptions) {
    this.#options = options;
    this.#answers = new ProbeAnswers(options.keys);
    this.hub = new HubPath({
      random: options.random,
      onChange: options.onChange,
      wantCarrier: (isWanted) => {
        if (!isWanted) this.#retry();
        options.wantCarrier(isWanted);
      },
      receivedBytes: (publicKey) => this.findPeer(publicKey)?.rxBytes ?? 0,
      onDoubt: options.greetHub,
    });
  }

  /** @returns The number of the peer. */
  put(node: string, publicKey: Uint8Array, fixed: Endpoint | undefined): number {
    const known = this.#byNode.get(node);
    if (known !== undefined) {
      known.publicKey = publicKey;
      known.fixed = fixed;
      known.view = undefined;
      return known.number;
    }
    const peer = {
      number: this.#next++,
      node,
      publicKey,
      path: new PeerPath(this.#options.random),
      view: undefined,
      handshakeUnixMs: 0,
      fixed,
      shown: 'relay',
    };
    this.#peers.set(peer.number, peer);
    this.#byNode.set(node, peer);
    return peer.number;
  }

  numberOf(node: string): number {
    return this.#byNode.get(node)!.number;
  }

  remove(node: string): void {
    const peer = this.#byNode.get(node);
    if (peer === undefined) return;
    this.#peers.delete(peer.number);
    this.#byNode.delete(node);
    this.#expected.delete(peer);
    this.#options.keys.forget(peer.publicKey);
  }

  /** For the socket. @param isIdle The message is a keepalive, which is no traffic. */
  find(number: number, isIdle: boolean): PeerWays | undefined {
    const nowMs = this.#options.clock.nowMs();
    const relay = this.hub.endpoint;
    if (number === HUB_NUMBER) {
      if (!isIdle) this.#noteTraffic(this.hub.publicKey, nowMs);
      // The hub takes the last way that it heard this host by: that must not be the one that ends.
      return { first: relay };
    }
    const peer = this.#peers.get(number);
    if (peer === undefined) return undefined;
    if (peer.fixed !== undefined) return this.#fixedWays(peer, peer.fixed, relay);
    if (!isIdle) {
      peer.path.noteTraffic(nowMs);
      if (this.#hasShakenHands(peer)) peer.path.doubt(nowMs);
      this.#armFor(peer.path.nextDeadline());
    }
    const { direct, isRelayed } = peer.path.ways(nowMs);
    if (direct === undefined && !isIdle) this.#noteTraffic(peer.publicKey, nowMs);
    if (direct === undefined) return { first: relay, second: this.hub.secondWay(nowMs) };
    return isRelayed ? { first: direct, second: relay } : { first: direct };
  }

  /** Takes what came with STUN's cookie. */
  take(bytes: Uint8Array, from: Endpoint): void {
    const message = parseStun(bytes);
    if (message === undefined) return;
    if (message.isRequest) this.#answer(bytes, message, from);
    else this.#answered(bytes, message);
    this.runDue();
  }

  punch(node: string, candidates: readonly Candidate[], inMs: number): void {
    const peer = this.#byNode.get(node);
    if (peer === undefined) return;
    this.#expect(peer);
    peer.path.punch(candidates, inMs, this.#options.clock.nowMs());
    this.#rearm();
  }

  /** This host has other addresses: nothing that was known of paths holds. */
  networkChanged(): void {
    const nowMs = this.#options.clock.nowMs();
    for (const { path } of this.#peers.values()) path.networkChanged(nowMs);
    this.hub.restart(nowMs);
    this.runDue();
  }

  /** The kind of the path of each node, with its round trip where it is direct. */
  views(): ReadonlyMap<string, PathView> {
    return new Map([...this.#peers.values()].map((peer) => [peer.node, this.#viewOf(peer)]));
  }

  /** Runs what is due, and arms the timer. */
  runDue(): void {
    if (this.#isClosed) return;
    const nowMs = this.#options.clock.nowMs();
    this.hub.runDue(nowMs, (transactionId, to, publicKey) => this.#probe(HUB_NUMBER, transactionId, to, publicKey));
    let isChanged = false;
    for (const peer of this.#peers.values()) {
      if (peer.path.nextDeadline() <= nowMs)
        peer.path.runDue(nowMs, {
          probe: (transactionId, to) => this.#probe(peer.number, transactionId, to, peer.publicKey),
          askPunch: (attempt) => this.#options.askPunch(peer.node, attempt),
        });
      const shown = peer.path.direct === undefined ? 'relay' : 'direct';
      isChanged ||= shown !== peer.shown;
      peer.shown = shown;
    }
    if (isChanged) this.#options.onChange();
    this.#rearm();
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  /** Tests whether there was a handshake since this was asked last. */
  #hasShakenHands(peer: ManagedPeer): boolean {
    peer.view ??= this.findPeer(peer.publicKey);
    const { lastHandshakeUnixMs = 0 } = peer.view ?? {};
    const isNew = lastHandshakeUnixMs !== peer.handshakeUnixMs;
    peer.handshakeUnixMs = lastHandshakeUnixMs;
    return isNew;
  }

  /** Notes a message that goes by way of the hub. */
  #noteTraffic(publicKey: Uint8Array, nowMs: number): void {
    this.hub.noteTraffic(publicKey, nowMs);
    this.#armFor(this.hub.nextDeadline());
  }

  #retry(): void {
    const nowMs = this.#options.clock.nowMs();
    for (const { path } of this.#peers.values()) path.retry(nowMs);
  }

  #viewOf({ fixed, path, publicKey }: ManagedPeer): PathView {
    const { direct, attempts } = path;
    if (fixed !== undefined && this.#isHeardAt(publicKey, fixed)) return { kind: 'direct', endpoint: fixed, attempts };
    if (direct === undefined) return { kind: this.hub.isCarried ? 'carried' : 'relay', attempts };
    return { kind: 'direct', rttMs: direct.rttMs, endpoint: direct.endpoint, attempts };
  }

  /** The address is tried beside the relay until the peer is heard from there. */
  #fixedWays(peer: ManagedPeer, fixed: Endpoint, relay: Endpoint | undefined): PeerWays {
    return this.#isHeardAt(peer.publicKey, fixed) ? { first: fixed } : { first: relay, second: fixed };
  }

  #isHeardAt(publicKey: Uint8Array, fixed: Endpoint): boolean {
    const heard = this.findPeer(publicKey)?.heardFrom;
    return heard !== undefined && isSameRemote(heard, fixed);
  }

  #expect(peer: ManagedPeer): void {
    this.#expected.delete(peer);
    this.#expected.add(peer);
    if (this.#expected.size > MAX_EXPECTED) this.#expected.delete(this.#expected.values().next().value!);
  }

  #probe(number: number, transactionId: Uint8Array, to: Endpoint, publicKey: Uint8Array): void {
    const key = this.#options.keys.keyFor(publicKey);
    if (key === undefined) return;
    if (this.#pending.size >= MAX_PENDING) this.#pending.delete(this.#pending.keys().next().value!);
    this.#pending.set(nameOf(transactionId), number);
    this.#options.sendProbe(formatRequest(transactionId, this.#options.keys.username(transactionId), key), to);
  }

  #answer(bytes: Uint8Array, message: StunMessage, from: Endpoint): void {
    const nowMs = this.#options.clock.nowMs();
    const keys = [...this.#expected, ...this.#peers.values()].map(({ publicKey }) => publicKey);
    const found = this.#answers.answer(bytes, message, from, keys, nowMs);
    if (found === undefined) return;
    this.#options.sendProbe(found.response, from);
    for (const { publicKey, path } of this.#peers.values())
      if (publicKey === found.publicKey) path.probedFrom(from, nowMs);
  }

  #answered(bytes: Uint8Array, message: StunMessage): void {
    const name = nameOf(message.transactionId);
    const number = this.#pending.get(name);
    const publicKey = number === HUB_NUMBER ? this.hub.publicKey : this.#peers.get(number ?? -1)?.publicKey;
    const key = publicKey === undefined ? undefined : this.#options.keys.keyFor(publicKey);
    if (key === undefined || !hasIntegrity(bytes, message, key)) return;
    this.#pending.delete(name);
    const nowMs = this.#options.clock.nowMs();
    if (number === HUB_NUMBER) this.hub.answered(message.transactionId, message.mapped, nowMs);
    else this.#peers.get(number!)?.path.answered(message.transactionId, nowMs);
  }

  #rearm(): void {
    let nextMs = this.hub.nextDeadline();
    for (const { path } of this.#peers.values()) nextMs = Math.min(nextMs, path.nextDeadline());
    this.#armFor(nextMs);
  }

  #armFor(nextMs: number): void {
    if (nextMs >= this.#timerAtMs || nextMs === Infinity || this.#isClosed) return;
    this.#timer?.cancel();
    this.#timerAtMs = nextMs;
    this.#timer = this.#options.clock.callAt(nextMs, () => {
      this.#timerAtMs = Infinity;
      this.runDue();
    });
  }
}

function nameOf(transactionId: Uint8Array): string {
  return Buffer.from(transactionId).toString('latin1');
}
