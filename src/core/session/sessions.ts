import type { DeviceEvents } from '../device-events.js';
import type { TransportKeys } from '../handshake/handshake.js';
import type { AeadStage, Environment } from '../ports.js';
import { IndexTable } from './index-table.js';
import { Keypair } from './keypair.js';
import { Peer } from './peer.js';

/** The parts of a new session. */
export interface SessionOptions {
  readonly peer: Peer;
  /** Wiped as soon as the AEAD stage has them. */
  readonly keys: TransportKeys;
  readonly localIndex: number;
  readonly isInitiator: boolean;
  readonly winsTie: boolean;
  readonly nowMs: number;
}

/**
 * The sessions of all peers, and the handshakes that wait for a response, by the indices that messages carry.
 *
 * Begins and ends keypairs: keys in the AEAD stage, indices and slots of the peer change together.
 */
export class Sessions {
  readonly aead: AeadStage;
  readonly #events: DeviceEvents;
  /** By local index: a keypair, or the peer whose initiation waits for a response. */
  readonly #entries: IndexTable<Keypair<Peer> | Peer>;
  /** By the index that the other side knows a keypair by, to recognise our own messages. */
  readonly #byRemoteIndex = new Map<number, Keypair<Peer>>();

  constructor(environment: Environment, aead: AeadStage, events: DeviceEvents) {
    this.aead = aead;
    this.#events = events;
    this.#entries = new IndexTable(environment);
  }

  /** Returns the keypair for a data message with this receiver index. */
  keypairAt(localIndex: number): Keypair<Peer> | undefined {
    const entry = this.#entries.get(localIndex);
    return entry instanceof Keypair ? entry : undefined;
  }

  /** The peer whose handshake waits for a response with this receiver index. */
  awaitingPeerAt(localIndex: number): Peer | undefined {
    const entry = this.#entries.get(localIndex);
    return entry instanceof Peer && entry.pendingHandshake !== undefined ? entry : undefined;
  }

  /** The peer that a message of ours with this sender index went to. */
  peerAt(localIndex: number): Peer | undefined {
    const entry = this.#entries.get(localIndex);
    return entry instanceof Keypair ? entry.peer : entry;
  }

  /** The peer that a data message of ours with this receiver index goes to. */
  peerAtRemote(remoteIndex: number): Peer | undefined {
    return this.#byRemoteIndex.get(remoteIndex)?.peer;
  }

  /** @returns A new index, which stands for a handshake with `peer`. */
  allocate(peer: Peer): number {
    return this.#entries.allocate(peer);
  }

  readonly release = (localIndex: number): void => this.#entries.release(localIndex);

  begin({ peer, keys, localIndex, isInitiator, winsTie, nowMs }: SessionOptions): void {
    const keySlot = this.aead.installKeys(keys.sendKey, keys.receiveKey);
    const { remoteIndex } = keys;
    keys.wipe();
    const keypair = new Keypair({ peer, keySlot, localIndex, remoteIndex, isInitiator, winsTie, createdMs: nowMs });
    this.#entries.replace(localIndex, keypair);
    this.#byRemoteIndex.set(remoteIndex, keypair);
    peer.keypairs.begin(keypair);
    peer.timers.sessionDerived(nowMs);
  }

  /** Ends a keypair: its keys are wiped and its index becomes invalid. */
  readonly discard = (keypair: Keypair<Peer>): void => {
    keypair.isWiped = true;
    this.aead.wipeKeys(keypair.keySlot);
    this.release(keypair.localIndex);
    if (this.#byRemoteIndex.get(keypair.remoteIndex) === keypair) this.#byRemoteIndex.delete(keypair.remoteIndex);
  };

  /** Ends all sessions and half handshakes of a peer. */
  wipe(peer: Peer, nowMs: number): void {
    if (peer.keypairs.current !== undefined) this.#events.push('session-ended', peer, nowMs);
    peer.keypairs.wipe();
    peer.dropPendingHandshake(this.release);
  }

  /** Records an authentic message of `lengthBytes` from the endpoint record at `at` (in words). */
  heardFrom(peer: Peer, lengthBytes: number, words: Int32Array, at: number, nowMs: number): void {
    if (peer.authenticFrom(words, at)) this.#events.push('roamed', peer, nowMs);
    peer.rxBytes += lengthBytes;
    peer.timers.authenticatedMessageReceived(nowMs);
  }
}
