import type { DeviceChange, PeerChange } from './configuration.js';
import { MAX_PEERS } from './constants.js';
import type { DeviceParts } from './device-parts.js';
import { WireGuardError } from './errors.js';
import type { CookieChecker } from './handshake/cookie.js';
import { Identity } from './handshake/identity.js';
import type { TimestampSource } from './handshake/timestamp-source.js';
import type { LinkState } from './link-state.js';
import { Verdict } from './packets/verdict.js';
import { Peer, type PeerSurroundings } from './session/peer.js';
import type { PeerTable } from './session/peer-table.js';

export interface DeviceConfigurationOptions {
  readonly parts: DeviceParts;
  readonly link: LinkState;
  readonly surroundings: PeerSurroundings;
  readonly timestamps: TimestampSource;
  readonly cookies: CookieChecker;
  readonly peers: PeerTable;
}

/** The private key and the peers of a device, and the effects of their changes on sessions, timers and staged packets. */
export class DeviceConfiguration {
  readonly #parts: DeviceParts;
  readonly #link: LinkState;
  readonly #surroundings: PeerSurroundings;
  readonly #timestamps: TimestampSource;
  readonly #cookies: CookieChecker;
  readonly #peers: PeerTable;

  constructor({ parts, link, surroundings, timestamps, cookies, peers }: DeviceConfigurationOptions) {
    this.#parts = parts;
    this.#link = link;
    this.#surroundings = surroundings;
    this.#timestamps = timestamps;
    this.#cookies = cookies;
    this.#peers = peers;
  }

  /** @throws {WireGuardError} ERR_TOO_MANY_PEERS */
  check(change: DeviceChange): void {
    if (!this.#peers.hasRoomFor(change, MAX_PEERS))
      throw new WireGuardError('ERR_TOO_MANY_PEERS', `more than ${MAX_PEERS} peers`);
  }

  apply(change: DeviceChange, nowMs: number): void {
    if (change.privateKey !== undefined) this.#setPrivateKey(change.privateKey, nowMs);
    const replaced = change.replacePeers ? [...this.#peers.values()] : [];
    for (const peer of replaced) this.#removePeer(peer, nowMs);
    for (const peerChange of change.peers) this.#applyPeerChange(peerChange, nowMs);
    for (const peer of replaced) this.#peers.get(peer.staticPublic)?.continueTimestamps(peer);
  }

  setLinkUp(isUp: boolean, nowMs: number): void {
    if (isUp === this.#link.isUp) return;
    this.#link.isUp = isUp;
    if (this.#link.isReady) this.#start(nowMs);
    if (!isUp) for (const peer of this.#peers.values()) this.#stop(peer, nowMs);
  }

  /** Removes all peers and wipes the private key. */
  clear(nowMs: number): void {
    for (const peer of [...this.#peers.values()]) this.#removePeer(peer, nowMs);
    this.#link.identity?.wipe();
    this.#link.identity = undefined;
    this.#link.isUp = false;
  }

  #setPrivateKey(privateKey: Uint8Array, nowMs: number): void {
    const before = this.#link.identity;
    const next = Identity.from(this.#parts.crypto, privateKey);
    if (before !== undefined && next?.equals(before)) {
      next.wipe();
      return;
    }

    const wasReady = this.#link.isReady;
    const ownPeer = next && this.#peers.get(next.staticPublic);
    if (ownPeer !== undefined) this.#removePeer(ownPeer, nowMs);
    this.#link.identity = next;
    this.#cookies.setPublicKey(next?.staticPublic);
    for (const peer of this.#peers.values()) this.#adoptIdentity(peer, nowMs);
    before?.wipe();
    if (!wasReady && this.#link.isReady) this.#start(nowMs);
  }

  /** Replaces the device's key for a peer. Old sessions seal nothing more, and new ones start at once if packets wait. */
  #adoptIdentity(peer: Peer, nowMs: number): void {
    peer.forgetStaticStatic();
    peer.dropPendingHandshake(this.#parts.sessions.release);
    if (this.#link.identity === undefined) {
      this.#stop(peer, nowMs);
      return;
    }
    if (!peer.hasTimers) return;
    peer.timers.handshakeCompleted();
    peer.timers.allowHandshake();
    peer.keypairs.stopSealing();
    if (peer.staged.count > 0 || peer.isKeepaliveOwed) peer.timers.handshakeWanted(nowMs);
  }

  #applyPeerChange(change: PeerChange, nowMs: number): void {
    const existing = this.#peers.get(change.publicKey);
    if (change.isRemoval) {
      if (existing !== undefined) this.#removePeer(existing, nowMs);
      return;
    }
    if (this.#link.identity?.hasPublicKey(change.publicKey)) return;
    if (existing === undefined && change.isUpdateOnly) return;
    const peer = existing ?? this.#addPeer(change.publicKey);

    if (change.presharedKey !== undefined) peer.setPresharedKey(change.presharedKey);
    if (change.endpoint !== undefined) peer.setEndpoint(change.endpoint);
    this.#changeAllowedIps(peer, change);
    if (change.persistentKeepaliveSeconds !== undefined)
      this.#setPersistentKeepalive(peer, change.persistentKeepaliveSeconds, nowMs);
    if (peer.staged.count > 0) this.#parts.outbox.requestFlush(peer);
  }

  #changeAllowedIps(peer: Peer, change: PeerChange): void {
    const { allowedIps } = this.#parts;
    if (change.replaceAllowedIps) allowedIps.removeAll(peer);
    for (const prefix of change.allowedIps) {
      if (prefix.isRemoval) allowedIps.remove(prefix, peer);
      else allowedIps.insert(prefix, peer);
    }
  }

  #setPersistentKeepalive(peer: Peer, seconds: number, nowMs: number): void {
    const isNew = peer.persistentKeepaliveSeconds === 0;
    if (seconds === peer.persistentKeepaliveSeconds) return;
    peer.persistentKeepaliveSeconds = seconds;
    if (this.#link.isReady) peer.timers.setPersistentKeepalive(seconds * 1_000, nowMs, isNew);
  }

  #addPeer(publicKey: Uint8Array): Peer {
    const peer = new Peer(publicKey, this.#surroundings);
    this.#peers.add(peer);
    return peer;
  }

  #removePeer(peer: Peer, nowMs: number): void {
    this.#stop(peer, nowMs);
    peer.isRemoved = true;
    this.#timestamps.retire(peer.timestampStep);
    if (peer.hasTimers) this.#surroundings.deadlines.remove(peer.timers);
    this.#parts.allowedIps.removeAll(peer);
    this.#peers.delete(peer);
    peer.setEndpoint(undefined);
    peer.wipeSecrets();
  }

  #start(nowMs: number): void {
    for (const peer of this.#peers.values()) {
      const { persistentKeepaliveSeconds: seconds } = peer;
      if (seconds !== 0 || peer.hasTimers) peer.timers.setPersistentKeepalive(seconds * 1_000, nowMs, true);
    }
  }

  #stop(peer: Peer, nowMs: number): void {
    this.#parts.outbox.dropStaged(peer, Verdict.DeviceDown);
    peer.isKeepaliveOwed = false;
    if (!peer.hasTimers) return;
    peer.timers.stop();
    this.#parts.sessions.wipe(peer, nowMs);
  }
}
