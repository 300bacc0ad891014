import { MAX_REQUESTS, MAX_REQUESTS_PER_CLIENT } from '../constants.js';

/**
 * How many connections may be half open in accept-any mode: over all clients, and for each address by itself.
 *
 * A client that asks for targets that never answer uses up its own share, and the others connect as before.
 */
export class RequestLimits {
  readonly #perClient = new Map<string, number>();
  #count = 0;

  /** Counts one more request of a client. @returns `false` if there are too many. */
  take(client: Int32Array): boolean {
    const key = client.join();
    const count = this.#perClient.get(key) ?? 0;
    if (this.#count >= MAX_REQUESTS || count >= MAX_REQUESTS_PER_CLIENT) return false;
    this.#perClient.set(key, count + 1);
    this.#count++;
    return true;
  }

  /** Counts one request less. */
  give(client: Int32Array): void {
    const key = client.join();
    const count = this.#perClient.get(key) ?? 0;
    if (count > 1) this.#perClient.set(key, count - 1);
    else this.#perClient.delete(key);
    this.#count--;
  }
}
