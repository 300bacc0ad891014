import { HANDSHAKE_TRAFFIC_CLASS, MAX_STAGED_PACKETS } from '../constants.js';
import type { DeviceContext } from '../device-context.js';
import { createInitiation } from '../handshake/handshake.js';
import { TimestampSource } from '../handshake/timestamp-source.js';
import { secretBytes } from '../secret-bytes.js';
import type { Keypair } from '../session/keypair.js';
import type { Peer } from '../session/peer.js';
import type { TimerActions } from '../session/peer-timers.js';
import { writeTransportData } from './transport.js';
import { Verdict } from './verdict.js';

const EPHEMERAL_BYTES = 32;
/** What one peer may want to send when its timers expire: an initiation and two keepalives. */
const ROWS_PER_PEER = 3;
const BYTES_PER_PEER = ROWS_PER_PEER * 256;

/**
 * Writes into the outbox what a device sends by itself: initiations, keepalives, and packets that waited for a session.
 *
 * Callers see to it that there is room: `hasRoom` before the timers of a peer expire.
 *
 * Source: whitepaper §5.4.2, §6.2–§6.5.
 */
export class Transmitter implements TimerActions<Peer> {
  readonly #context: DeviceContext;
  readonly #timestamps: TimestampSource;

  constructor(context: DeviceContext, timestamps: TimestampSource) {
    this.#context = context;
    this.#timestamps = timestamps;
  }

  /** Whether everything that one peer may want to send fits into the outbox. */
  hasRoom(): boolean {
    const { outbox } = this.#context;
    return outbox.hasRoom(ROWS_PER_PEER, BYTES_PER_PEER);
  }

  /** Sends an empty message under the current session, or has a session made for it (§6.5). */
  sendKeepalive(peer: Peer, nowMs: number): void {
    if (!this.#context.isReady || peer.destination === undefined) return;
    if (peer.staged.count === 0) peer.isKeepaliveOwed = true;
    if (peer.sealingKeypair(nowMs) === undefined) peer.timers.handshakeWanted(nowMs);
    else this.#flushPeer(peer, nowMs);
  }

  /** Sends what waits for peers that have a session now; goes on in a later turn when the outbox is full. */
  flush(nowMs: number): void {
    const { flushQueue } = this.#context;
    while (flushQueue.length > 0 && this.hasRoom()) {
      const peer = flushQueue[0];
      if (!this.#flushPeer(peer, nowMs)) return;
      peer.isInFlushQueue = false;
      flushQueue.shift();
    }
  }

  /** Puts a complete handshake message or cookie reply into the outbox. */
  sendHandshakeMessage(message: Uint8Array, endpointWords: Int32Array, at: number): void {
    const { outbox } = this.#context;
    const row = outbox.appendRow(message.length);
    if (row < 0) return; // callers saw to it that there is room; a message less is what UDP may do
    outbox.bytes.set(message, outbox.offset[row]);
    outbox.trafficClass[row] = HANDSHAKE_TRAFFIC_CLASS;
    outbox.setEndpoint(row, endpointWords, at);
  }

  sendHandshakeInitiation(peer: Peer, isRetry: boolean, nowMs: number): void {
    const { identity, isReady } = this.#context;
    const { destination } = peer;
    if (!isReady || identity === undefined || destination === undefined || peer.isRemoved) return;

    const message = this.#createInitiation(peer, nowMs);
    if (message === undefined) return;
    peer.cookieJar.sign(message, nowMs);
    this.sendHandshakeMessage(message, destination.words, 0);
    peer.txBytes += message.length;
    peer.timers.authenticatedMessageSent(nowMs);
    peer.timers.handshakeInitiated(nowMs, isRetry);
  }

  forgetSource(peer: Peer): void {
    peer.forgetSource();
  }

  giveUpHandshake(peer: Peer, nowMs: number): void {
    this.#context.events.push('gave-up', peer, nowMs);
    this.#context.dropStaged(peer, Verdict.HandshakeGivenUp);
    peer.isKeepaliveOwed = false;
    peer.dropPendingHandshake(this.#context.releaseIndex);
  }

  dropPendingHandshake(peer: Peer): void {
    peer.dropPendingHandshake(this.#context.releaseIndex);
  }

  zeroKeyMaterial(peer: Peer, nowMs: number): void {
    this.#context.wipeSessions(peer, nowMs);
  }

  /** @returns `undefined` for a peer whose key is a low-order point: there can be no session with it. */
  #createInitiation(peer: Peer, nowMs: number): Uint8Array | undefined {
    const { crypto, environment, identity, indices, releaseIndex } = this.#context;
    const ephemeralPrivate = secretBytes(EPHEMERAL_BYTES);
    environment.random(ephemeralPrivate);
    peer.dropPendingHandshake(releaseIndex);
    const localIndex = indices.allocate(peer);
    try {
      const created = createInitiation(
        crypto,
        identity!,
        peer,
        ephemeralPrivate,
        localIndex,
        this.#nextTimestamp(peer),
      );
      if (created === undefined) {
        releaseIndex(localIndex);
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
    if (peer.destination === undefined || !this.#context.isReady) return true;
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
    const { outbox, mtu } = this.#context;
    const isKeepalive = peer.staged.count === 0;
    const row = outbox.appendRow(isKeepalive ? 0 : peer.staged.peekLength());
    if (row < 0) return false;

    if (!isKeepalive) {
      outbox.trafficClass[row] = peer.staged.headTrafficClass;
      peer.staged.shiftInto(outbox.bytes, outbox.offset[row]);
      peer.timers.dataSent(nowMs);
    }
    peer.isKeepaliveOwed = false;
    peer.txBytes += writeTransportData(outbox, row, keypair, mtu);
    outbox.setEndpoint(row, peer.endpoint!.words, 0);
    peer.timers.authenticatedMessageSent(nowMs);
    if (keypair.wantsRekeyOnSend(nowMs)) peer.timers.handshakeWanted(nowMs);
    return true;
  }
}
