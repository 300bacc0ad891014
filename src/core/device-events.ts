import type { PeerView } from './session/peer-view.js';

/**
 * The kinds of events.
 *
 * `handshake`: a session is confirmed · `gave-up`: nobody answered for REKEY_ATTEMPT_TIME · `roamed`: messages go to
 * another address or port than before · `session-ended`: the keys of the current session were wiped · `under-load`: the
 * device requires cookies from now on
 */
export type DeviceEventKind = 'handshake' | 'gave-up' | 'roamed' | 'session-ended' | 'under-load';

export interface DeviceEvent {
  readonly kind: DeviceEventKind;
  /** `undefined` where the event concerns the whole device. */
  readonly peer: PeerView | undefined;
  readonly nowMs: number;
}

const CAPACITY_EVENTS = 1_024;

/**
 * The latest events of a device, oldest first, in a ring of fixed size.
 *
 * The core writes events without callbacks. The host drains the ring once per turn; otherwise the oldest events are
 * dropped and counted. Writing allocates nothing.
 */
export class DeviceEvents {
  /** Number of events that were dropped because the ring was not drained. */
  dropped = 0;
  readonly #kinds: DeviceEventKind[] = [];
  readonly #peers: (PeerView | undefined)[] = [];
  readonly #times: number[] = [];
  #first = 0;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  push(kind: DeviceEventKind, peer: PeerView | undefined, nowMs: number): void {
    const slot = (this.#first + this.#count) % CAPACITY_EVENTS;
    this.#kinds[slot] = kind;
    this.#peers[slot] = peer;
    this.#times[slot] = nowMs;
    if (this.#count < CAPACITY_EVENTS) {
      this.#count++;
      return;
    }
    this.#first = (this.#first + 1) % CAPACITY_EVENTS;
    this.dropped++;
  }

  /** Removes and returns all events, oldest first. */
  drain(): DeviceEvent[] {
    const events = Array.from({ length: this.#count }, (_, i) => this.#take((this.#first + i) % CAPACITY_EVENTS));
    this.#first = 0;
    this.#count = 0;
    return events;
  }

  #take(slot: number): DeviceEvent {
    const event = { kind: this.#kinds[slot], peer: this.#peers[slot], nowMs: this.#times[slot] };
    this.#peers[slot] = undefined;
    return event;
  }
}
