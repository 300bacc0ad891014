import { KEY_BYTES, MAX_STAGED_PACKETS } from '../constants.js';
import type { DeviceEvents } from '../device-events.js';
import type { DeviceParts } from '../device-parts.js';
import { createInitiation } from '../handshake/handshake.js';
import { TimestampSource } from '../handshake/timestamp-source.js';
import type { LinkView } from '../link-state.js';
import type { Crypto, Environment } from '../ports.js';
import { secretBytes } from '../secret-bytes.js';
import type { Keypair } from '../session/keypair.js';
import type { Peer } from '../session/peer.js';
import type { TimerActions } from '../session/peer-timers.js';
import type { Sessions } from '../session/sessions.js';
import type { Outbox } from './outbox.js';
import { writeTransportData } from './transport.js';
import { Verdict } from './verdict.js';

/**
 * Writes the device's own messages into the outbox: initiations, keepalives, and packets that waited for a session.
 *
 * Callers must ensure that there is room: `Outbox.hasRoom` before the timers of a peer expire.
 *
 * Source: whitepaper §5.4.2, §6.2–§6.5.
 */
export class Transmitter implements TimerActions<Peer> {
  readonly #crypto: Crypto;
  readonly #environment: Environment;
  readonly #link: LinkView;
  readonly #sessions: Sessions;
  readonly #outbox: Outbox;
  readonly #events: DeviceEvents;
  readonly #timestamps: TimestampSource;

  constructor({ crypto, environment, link, sessions, outbox, events }: DeviceParts, timestamps: TimestampSource) {
    this.#crypto = crypto;
    this.#environment = environment;
    this.#link = link;
    this.#sessions = sessions;
    this.#outbox = outbox;
    this.#events = events;
    this.#timestamps = timestamps;
  }

  /** Sends an empty message under the current session, or requests a session (§6.5). */
  sendKeepalive(peer: Peer, nowMs: number): void {
    if (!this.#link.isReady || peer.destination === undefined) return;
    if (peer.staged.count === 0) peer.isKeepaliveOwed = true;
    if (peer.sealingKeypair(nowMs) === undefined) peer.timers.handshakeWanted(nowMs);
    else this.#flushPeer(peer, nowMs);
  }

  /** Sends waiting packets of peers that now have a session; continues in a later turn when the outbox is full. */
  flush(nowMs: number): void {
    for (let peer = this.#outbox.firstToFlush; peer !== undefined; peer = this.#outbox.firstToFlush) {
      if (!this.#outbox.hasRoom() || !this.#flushPeer(peer, nowMs)) return;
      this.#outbox.firstIsFlushed();
    }
  }

  sendHandshakeInitiation(peer: Peer, isRetry: boolean, nowMs: number): void {
    const { identity, isReady } = this.#link;
    const { destination } = peer;
    if (!isReady || identity === undefined || destination === undefined || peer.isRemoved) return;

    const message = this.#createInitiation(peer, nowMs);
    if (message === undefined) return;
    peer.cookieJar.sign(message, nowMs);
    this.#outbox.appendHandshakeMessage(message, destination.words, 0);
    peer.txBytes += message.length;
    peer.timers.authenticatedMessageSent(nowMs);
    peer.timers.handshakeInitiated(nowMs, isRetry);
  }

  forgetSource(peer: Peer): void {
    peer.forgetSource();
  }

  giveUpHandshake(peer: Peer, nowMs: number): void {
    this.#events.push('gave-up', peer, nowMs);
    this.#outbox.dropStaged(peer, Verdict.HandshakeGivenUp);
    peer.isKeepaliveOwed = false;
    peer.dropPendingHandshake(this.#sessions.release);
  }

  dropPendingHandshake(peer: Peer): void {
    peer.dropPendingHandshake(this.#sessions.release);
  }

  zeroKeyMaterial(peer: Peer, nowMs: number): void {
    this.#sessions.wipe(peer, nowMs);
  }

  /** @returns `undefined` for a peer whose key is a low-order point, with which no session is possible. */
  #createInitiation(peer: Peer, nowMs: number): Uint8Array | undefined {
    const ephemeralPrivate = secretBytes(KEY_BYTES);
    this.#environment.random(ephemeralPrivate);
    peer.dropPendingHandshake(this.#sessions.release);
    const localIndex = this.#sessions.allocate(peer);
    try {
      const timestamp = this.#nextTimestamp(peer);
      const { identity } = this.#link;
      const created = createInitiation(this.#crypto, identity!, peer, ephemeralPrivate, localIndex, timestamp);
      if (created === undefined) {
        this.#sessions.release(localIndex);
        return undefined;
      }
      peer.pendingHandshake = { state: created.state, localIndex, sentMs: nowMs };
      return created.message;
    } finally {
      ephemeralPrivate.fill(0);
    }
  }

  #nextTimestamp(peer: Peer): Uint8Array {
    peer.timestampStep = this.#timestamps.nextStep(peer.timestampStep);
    return TimestampSource.write(peer.timestampStep);
  }

  /** @returns Whether nothing waits any more, or nothing can be sent; `false`: the outbox is full. */
  #flushPeer(peer: Peer, nowMs: number): boolean {
    if (peer.destination === undefined || !this.#link.isReady) return true;
    for (let sent = 0; sent <= MAX_STAGED_PACKETS; sent++) {
      const keypair = peer.sealingKeypair(nowMs);
      if (keypair === undefined) return true;
      if (peer.staged.count === 0 && !peer.isKeepaliveOwed) return true;
      if (!this.#sendStaged(peer, keypair, nowMs)) return false;
    }
    return true;
  }

  /** Sends the oldest staged packet, or a keepalive if there is none. */
  #sendStaged(peer: Peer, keypair: Keypair, nowMs: number): boolean {
    const { messages } = this.#outbox;
    const isKeepalive = peer.staged.count === 0;
    const row = messages.appendRow(isKeepalive ? 0 : peer.staged.peekLength());
    if (row < 0) return false;

    if (!isKeepalive) {
      messages.trafficClass[row] = peer.staged.headTrafficClass;
      peer.staged.shiftInto(messages.bytes, messages.offset[row]);
      peer.timers.dataSent(nowMs);
    }
    peer.isKeepaliveOwed = false;
    peer.txBytes += writeTransportData(messages, row, keypair, this.#link.mtu);
    messages.setEndpoint(row, peer.endpoint!.words, 0);
    peer.timers.authenticatedMessageSent(nowMs);
    peer.keepSessionFresh(keypair, nowMs);
    return true;
  }
}
