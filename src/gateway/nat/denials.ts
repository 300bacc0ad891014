import { formatIpAddress } from '../../control/ip-text.js';
import type { Decision, Flow } from '../../policy/access.js';
import type { Denial } from '../gateway-service.js';

const MAX_DENIALS = 256;

/** The flows that policy refused lately, each kind once with its count. */
export class Denials {
  readonly #denials = new Map<string, Denial>();

  /** @returns The refusal, with how often it has happened. */
  add(flow: Flow, decision: Decision, atUnixMs: number): Denial {
    const { device, protocol, port } = flow;
    const destination = formatIpAddress(flow.destination);
    const key = `${device} ${protocol} ${destination} ${port}`;
    const count = (this.#denials.get(key)?.count ?? 0) + 1;
    // The newest stands last, so that the oldest is the first to go.
    this.#denials.delete(key);
    const denial = { atUnixMs, flow: { device, protocol, destination, port }, decision, count };
    this.#denials.set(key, denial);
    if (this.#denials.size > MAX_DENIALS) this.#denials.delete(this.#denials.keys().next().value!);
    return denial;
  }

  /** The newest first. */
  list(): readonly Denial[] {
    return [...this.#denials.values()].reverse();
  }
}
