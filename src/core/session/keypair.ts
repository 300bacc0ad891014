import {
  REJECT_AFTER_MESSAGES_HIGH,
  REJECT_AFTER_MESSAGES_LOW,
  REJECT_AFTER_TIME_MS,
  REKEY_AFTER_MESSAGES_HIGH,
  REKEY_AFTER_TIME_MS,
  REKEY_ON_RECEIVE_AFTER_MS,
} from '../constants.js';
import { ReplayWindow } from './replay-window.js';

/** The outcome of a handshake, for the transport of data. */
export interface KeypairOptions<Owner> {
  readonly peer: Owner;
  /** The AEAD stage's slot with both keys. The keys themselves never stay in the core. */
  readonly keySlot: number;
  readonly localIndex: number;
  readonly remoteIndex: number;
  readonly isInitiator: boolean;
  /** Whether this keypair remains when both ends initiate at once. */
  readonly winsTie: boolean;
  readonly createdMs: number;
}

/**
 * The two transport keys of one session, and their use.
 *
 * The counter of the next message to be sent is kept as two 32-bit halves: exact up to 2^64, and without the heap
 * allocation that a `bigint` costs per packet.
 *
 * Source: whitepaper §5.4.5, §5.4.6, limits in §6.1 and §6.2.
 */
export class Keypair<Owner = unknown> {
  readonly peer: Owner;
  readonly keySlot: number;
  readonly localIndex: number;
  readonly remoteIndex: number;
  readonly isInitiator: boolean;
  readonly winsTie: boolean;
  readonly createdMs: number;
  readonly replayWindow = new ReplayWindow();

  sendHigh = 0;
  sendLow = 0;
  /** Whether the keys are wiped: packets that were in flight to the AEAD stage must then be dropped. */
  isWiped = false;
  /** Whether the keypair seals. After a change of the own key it only opens messages in flight. */
  isSealing = true;

  constructor(options: KeypairOptions<Owner>) {
    this.peer = options.peer;
    this.keySlot = options.keySlot;
    this.localIndex = options.localIndex;
    this.remoteIndex = options.remoteIndex;
    this.isInitiator = options.isInitiator;
    this.winsTie = options.winsTie;
    this.createdMs = options.createdMs;
  }

  /** §6.2: a keypair ends REJECT_AFTER_TIME after its creation. */
  isExpired(nowMs: number): boolean {
    return this.isWiped || nowMs - this.createdMs >= REJECT_AFTER_TIME_MS;
  }

  /** §6.2: whether one more message may be sealed. */
  canSeal(nowMs: number): boolean {
    return this.isSealing && !this.isExpired(nowMs) && !this.#isSpent();
  }

  /**
   * §6.2: whether age or count require a new handshake. Only the initiator uses the age, or both ends would rekey at
   * once.
   */
  wantsRekeyOnSend(nowMs: number): boolean {
    if (this.sendHigh >= REKEY_AFTER_MESSAGES_HIGH) return true;
    return this.isInitiator && nowMs - this.createdMs >= REKEY_AFTER_TIME_MS;
  }

  /** §6.2: data still comes in, but the keypair ends before a passive keepalive and an answer could save it. */
  wantsRekeyOnReceive(nowMs: number): boolean {
    return this.isInitiator && nowMs - this.createdMs >= REKEY_ON_RECEIVE_AFTER_MS;
  }

  /** Moves on to the next counter. The caller has written the present one. */
  advanceCounter(): void {
    this.sendLow = (this.sendLow + 1) >>> 0;
    if (this.sendLow === 0) this.sendHigh++;
  }

  #isSpent(): boolean {
    return this.sendHigh >= REJECT_AFTER_MESSAGES_HIGH && this.sendLow >= REJECT_AFTER_MESSAGES_LOW;
  }
}
