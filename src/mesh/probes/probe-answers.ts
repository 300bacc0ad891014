import type { ProbeKeys } from './probe-keys.js';
import { formatResponse, hasIntegrity, type MappedAddress, type StunMessage } from './stun-message.js';

/** Requests that are looked at in a second: each may cost a hash for every host that it could be from. */
const REQUESTS_PER_SECOND = 200;
const MOST_HOSTS = 128;

/** Answers the probes of hosts that are known, and nobody else. */
export class ProbeAnswers {
  /** Requests that were not answered: from unknown hosts, without integrity, or too many. */
  refused = 0;
  readonly #keys: ProbeKeys;
  #tokens = REQUESTS_PER_SECOND;
  #tokensMs = 0;

  constructor(keys: ProbeKeys) {
    this.#keys = keys;
  }

  /**
   * Answers a request, if its integrity is that of one of `hosts`.
   *
   * @param hosts Public keys, the likeliest first.
   * @returns Whose it is, and the answer.
   */
  answer(
    bytes: Uint8Array,
    request: StunMessage,
    from: MappedAddress,
    hosts: Iterable<Uint8Array>,
    nowMs: number,
  ): { readonly publicKey: Uint8Array; readonly response: Uint8Array } | undefined {
    const { username, transactionId } = request;
    if (username === undefined || !this.#take(nowMs)) return this.#refuse();
    let tried = 0;
    for (const publicKey of hosts) {
      if (tried++ >= MOST_HOSTS) break;
      if (Buffer.compare(this.#keys.usernameOf(publicKey, transactionId), username) !== 0) continue;
      const key = this.#keys.keyFor(publicKey);
      if (key === undefined || !hasIntegrity(bytes, request, key)) return this.#refuse();
      return { publicKey, response: formatResponse(transactionId, from, key) };
    }
    return this.#refuse();
  }

  #take(nowMs: number): boolean {
    const refill = ((nowMs - this.#tokensMs) * REQUESTS_PER_SECOND) / 1_000;
    this.#tokens = Math.min(REQUESTS_PER_SECOND, this.#tokens + refill);
    this.#tokensMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  #refuse(): undefined {
    this.refused++;
    return undefined;
  }
}
