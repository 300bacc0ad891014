import { ADDRESS_WORDS } from '../address.js';
import { EPHEMERAL_PORT_FIRST, EPHEMERAL_PORT_LAST } from '../constants.js';
import type { NetstackEnvironment } from '../ports.js';
import type { FlowAddress } from './tcp-flow.js';

/** RFC 6528 §3: the clock of initial sequence numbers moves on every 4 µs. */
const STEPS_PER_MS = 250;
const PURPOSE_SEQUENCE = 1;
const PURPOSE_TIMESTAMP = 2;
const PURPOSE_PORT = 3;
/** Purpose, both addresses, both ports. */
const INPUT_WORDS = 2 + 2 * ADDRESS_WORDS;

/**
 * Numbers that a stranger must not be able to guess, though the same two ends get related ones.
 *
 * Source: RFC 6528 §3 (initial sequence numbers), RFC 7323 §5.4 (timestamps), RFC 6056 §3.3.3 (ports).
 */
export class InitialNumbers {
  readonly #environment: NetstackEnvironment;
  readonly #words = new Int32Array(INPUT_WORDS);
  readonly #bytes = new Uint8Array(this.#words.buffer);
  #portsGiven = 0;

  constructor(environment: NetstackEnvironment) {
    this.#environment = environment;
  }

  /** ISS: greater for the same two ends as time goes on, so that an old segment lies behind it. */
  sequence(address: FlowAddress, nowMs: number): number {
    return (this.#hash(PURPOSE_SEQUENCE, address) + Math.imul(nowMs | 0, STEPS_PER_MS)) | 0;
  }

  /** Returns the offset of a flow's timestamps from the clock, so that they do not reveal how long this host has been up. */
  timestampOffset(address: FlowAddress): number {
    return this.#hash(PURPOSE_TIMESTAMP, address);
  }

  /** @returns A free local port towards a remote end, or 0 if none is. @param isFree Tests one. */
  ephemeralPort(address: FlowAddress, isFree: (port: number) => boolean): number {
    const count = EPHEMERAL_PORT_LAST - EPHEMERAL_PORT_FIRST + 1;
    const start = this.#hash(PURPOSE_PORT, address) >>> 0;
    for (let i = 0; i < count; i++) {
      const port = EPHEMERAL_PORT_FIRST + ((start + this.#portsGiven++) % count);
      if (isFree(port)) return port;
    }
    return 0;
  }

  #hash(purpose: number, { local, localPort, remote, remotePort }: FlowAddress): number {
    this.#words[0] = purpose;
    this.#words[1] = (localPort << 16) | remotePort;
    this.#words.set(local, 2);
    this.#words.set(remote, 2 + ADDRESS_WORDS);
    return this.#environment.keyedHash(this.#bytes);
  }
}
