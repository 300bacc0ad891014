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
 * The responder must not seal with a keypair before the initiator has used it: only its use proves that
 * the initiator has it (§5.4.5, key confirmation).
 *
 * When both ends initiate at once there are two new keypairs, and one of them wins. The end that initiated the other
 * keypair keeps the winner as `next`, so that both ends soon seal under one keypair.
 */
export class KeypairSlots<Owner> {
  previous: Keypair<Owner> | undefined;
  current: Keypair<Owner> | undefined;
  next: Keypair<Owner> | undefined;

  /** Wipes the keys and forgets the index. */
  readonly #discard: (keypair: Keypair<Owner>) => void;

  constructor(discard: (keypair: Keypair<Owner>) => void) {
    this.#discard = discard;
  }

  /** Adds the keypair of a completed handshake. */
  begin(keypair: Keypair<Owner>): void {
    if (!keypair.isInitiator) this.#beginAsResponder(keypair);
    else if (yieldsTo(keypair, this.next)) this.#beginBeforeNext(keypair);
    else if (yieldsTo(keypair, this.current)) this.#beginAsPrevious(keypair);
    else this.#beginAsInitiator(keypair);
  }

  /**
   * Records an authentic message under `keypair`.
   *
   * @returns Whether that confirmed a keypair of ours as responder, which seals from now on.
   */
  confirm(keypair: Keypair<Owner>): boolean {
    if (keypair === this.previous) this.#preferPrevious();
    if (keypair !== this.next) return false;
    this.#drop(this.previous);
    this.previous = this.current;
    this.current = keypair;
    this.next = undefined;
    return true;
  }

  /** Stops sealing. Messages in flight may still be opened. */
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
  #beginAsInitiator(keypair: Keypair<Owner>): void {
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

  /** Crossed: we seal with our own keypair until the peer's first message under `next` confirms that one. */
  #beginBeforeNext(keypair: Keypair<Owner>): void {
    this.#drop(this.previous);
    this.previous = this.current;
    this.current = keypair;
  }

  /** Crossed: the peer's keypair is confirmed already, so that ours only opens what is in flight. */
  #beginAsPrevious(keypair: Keypair<Owner>): void {
    this.#drop(this.previous);
    this.previous = keypair;
  }

  /** Crossed, and messages overtook one another: the peer seals with the keypair that wins, so that we do as well. */
  #preferPrevious(): void {
    const { previous, current } = this;
    if (current === undefined || !yieldsTo(current, previous)) return;
    this.previous = current;
    this.current = previous;
  }

  #beginAsResponder(keypair: Keypair<Owner>): void {
    this.#drop(this.next);
    this.#drop(this.previous);
    this.previous = undefined;
    this.next = keypair;
  }

  #drop(keypair: Keypair<Owner> | undefined): void {
    if (keypair !== undefined) this.#discard(keypair);
  }
}

/** Tests whether two keypairs come from crossed handshakes and `other` wins. Both ends get the same result. */
function yieldsTo(keypair: Keypair, other: Keypair | undefined): boolean {
  if (other === undefined || keypair.winsTie || !other.winsTie || !other.isSealing) return false;
  return Math.abs(keypair.createdMs - other.createdMs) < REKEY_TIMEOUT_MS;
}
