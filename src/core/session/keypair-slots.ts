import { REKEY_TIMEOUT_MS } from '../constants.js';
import type { Keypair } from './keypair.js';

/**
 * The three keypairs that a peer may have at a time.
 *
 * ```text
 *            initiator: response arrived                 responder: response sent
 *                      │                                           │
 *                      ▼                                           ▼
 *   previous ◀──── current ◀──── first message arrives under it ── next
 *   opens only     seals, opens                                    opens only
 * ```
 *
 * The responder must not seal with a keypair before the initiator has used it: only that proves that the
 * initiator has it (§5.4.5, key confirmation).
 */
export class KeypairSlots {
  previous: Keypair | undefined;
  current: Keypair | undefined;
  next: Keypair | undefined;

  /** Wipes the keys and forgets the index. */
  readonly #discard: (keypair: Keypair) => void;

  constructor(discard: (keypair: Keypair) => void) {
    this.#discard = discard;
  }

  /**
   * Takes in the keypair that a handshake gave.
   *
   * @returns Whether the other side initiated at the same time, so that there are two new keypairs.
   */
  begin(keypair: Keypair): boolean {
    const { next } = this;
    if (keypair.isInitiator) this.#beginAsInitiator(keypair);
    else this.#beginAsResponder(keypair);
    return keypair.isInitiator && next !== undefined && keypair.createdMs - next.createdMs < REKEY_TIMEOUT_MS;
  }

  /**
   * A message was authentic under `keypair`.
   *
   * @returns Whether that confirmed a keypair of ours as responder, which seals from now on.
   */
  confirm(keypair: Keypair): boolean {
    if (keypair !== this.next) return false;
    this.#drop(this.previous);
    this.previous = this.current;
    this.current = keypair;
    this.next = undefined;
    return true;
  }

  /** Nothing more is sealed, what is under way may still be opened. */
  stopSealing(): void {
    if (this.current !== undefined) this.current.isSealing = false;
    if (this.next !== undefined) this.next.isSealing = false;
  }

  wipe(): void {
    this.#drop(this.previous);
    this.#drop(this.current);
    this.#drop(this.next);
    this.previous = undefined;
    this.current = undefined;
    this.next = undefined;
  }

  /** A keypair of ours as responder that was never confirmed is still good for opening: it becomes `previous`. */
  #beginAsInitiator(keypair: Keypair): void {
    this.#drop(this.previous);
    if (this.next !== undefined) {
      this.#drop(this.current);
      this.previous = this.next;
      this.next = undefined;
    } else {
      this.previous = this.current;
    }
    this.current = keypair;
  }

  #beginAsResponder(keypair: Keypair): void {
    this.#drop(this.next);
    this.#drop(this.previous);
    this.previous = undefined;
    this.next = keypair;
  }

  #drop(keypair: Keypair | undefined): void {
    if (keypair !== undefined) this.#discard(keypair);
  }
}
