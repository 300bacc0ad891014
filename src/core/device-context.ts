import { DEFAULT_MTU, STAGED_BUDGET_BYTES } from './constants.js';
import { DeviceEvents } from './device-events.js';
import type { Identity } from './handshake/identity.js';
import { Counters } from './packets/counters.js';
import { PacketBatch } from './packets/packet-batch.js';
import type { Verdict } from './packets/verdict.js';
import type { AeadStage, Crypto, Environment } from './ports.js';
import { AllowedIps } from './routing/allowed-ips.js';
import { ByteBudget } from './session/byte-budget.js';
import { DeadlineQueue } from './session/deadline-queue.js';
import { IndexTable } from './session/index-table.js';
import type { Keypair } from './session/keypair.js';
import type { Peer } from './session/peer.js';
import type { PeerTimers } from './session/peer-timers.js';

const OUTBOX_ROWS = 256;
const OUTBOX_BYTES = 512 * 1024;
const REPLY_ROWS = 64;
const REPLY_BYTES = 64 * 1024;
const RANDOM_WORDS = 64;

/** What the parts of one device share. Nobody else sees it. */
export class DeviceContext {
  readonly crypto: Crypto;
  readonly environment: Environment;
  readonly aead: AeadStage;

  /** By local index: a keypair, or the peer whose initiation waits for a response. */
  readonly indices: IndexTable<Keypair | Peer>;
  readonly allowedIps = new AllowedIps<Peer>();
  readonly deadlines = new DeadlineQueue<PeerTimers<Peer>>();
  readonly counters = new Counters();
  readonly events = new DeviceEvents();
  readonly stagedBudget = new ByteBudget(STAGED_BUDGET_BYTES);
  readonly outbox = new PacketBatch(OUTBOX_ROWS, OUTBOX_BYTES);
  readonly replies = new PacketBatch(REPLY_ROWS, REPLY_BYTES);
  /** Peers with packets staged, or a keepalive owed, and a session to send them. */
  readonly flushQueue: Peer[] = [];
  /** Keypairs by the index that the other side knows them by, to recognise our own messages. */
  readonly keypairsByRemoteIndex = new Map<number, Keypair>();

  identity: Identity | undefined;
  isUp = false;
  mtu = DEFAULT_MTU;
  listenPort = 0;

  readonly #randomWords = new Uint32Array(RANDOM_WORDS);
  #randomWordsLeft = 0;

  constructor(crypto: Crypto, environment: Environment, aead: AeadStage) {
    this.crypto = crypto;
    this.environment = environment;
    this.aead = aead;
    this.indices = new IndexTable<Keypair | Peer>(environment);
  }

  /** Nothing is sent and nothing believed before the link is up and a private key is set. */
  get isReady(): boolean {
    return this.isUp && this.identity !== undefined;
  }

  /** Uniform in [0, 1), for jitter. Fetched in advance, since traffic that goes to and fro asks for it with every turn. */
  readonly random = (): number => {
    if (this.#randomWordsLeft === 0) {
      this.environment.random(new Uint8Array(this.#randomWords.buffer));
      this.#randomWordsLeft = RANDOM_WORDS;
    }
    return this.#randomWords[--this.#randomWordsLeft] / 2 ** 32;
  };

  readonly releaseIndex = (index: number): void => this.indices.release(index);

  /** Ends a keypair: its keys are wiped and its index means nothing any more. */
  readonly discard = (keypair: Keypair): void => {
    keypair.isWiped = true;
    this.aead.wipeKeys(keypair.keySlot);
    this.indices.release(keypair.localIndex);
    if (this.keypairsByRemoteIndex.get(keypair.remoteIndex) === keypair)
      this.keypairsByRemoteIndex.delete(keypair.remoteIndex);
  };

  /** An authentic message of `lengthBytes` came from the endpoint record at `at` (in words). */
  heardFrom(peer: Peer, lengthBytes: number, words: Int32Array, at: number, nowMs: number): void {
    if (peer.authenticFrom(words, at)) this.events.push('roamed', peer, nowMs);
    peer.rxBytes += lengthBytes;
    peer.timers.authenticatedMessageReceived(nowMs);
  }

  /** Forgets the sessions and half handshakes of a peer. */
  wipeSessions(peer: Peer, nowMs: number): void {
    if (peer.keypairs.current !== undefined) this.events.push('session-ended', peer, nowMs);
    peer.wipeSessions(this.releaseIndex);
  }

  /** Drops the packets that wait for a session, and counts them. */
  dropStaged(peer: Peer, why: Verdict): void {
    const dropped = peer.staged.clear();
    if (dropped === 0) return;
    this.counters.verdicts[why] += dropped;
    peer.counters.verdicts[why] += dropped;
  }

  /** Has `Transmitter.flush` look after the peer. */
  requestFlush(peer: Peer): void {
    if (peer.isInFlushQueue) return;
    peer.isInFlushQueue = true;
    this.flushQueue.push(peer);
  }
}
