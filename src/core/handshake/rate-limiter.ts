import { addressLength, ENDPOINT_ADDRESS_AT, FAMILY_PATH } from '../../wire/endpoint.js';
import type { Environment } from '../ports.js';

/** The sustained rate of handshake messages of one address. */
const MESSAGES_PER_SECOND = 20;
/** Handshake messages that one address may send in a burst. */
const BURST_MESSAGES = 5;
const COST_MS = 1_000 / MESSAGES_PER_SECOND;
const BURST_MS = BURST_MESSAGES * COST_MS;

/** The table is SETS × WAYS addresses; an address that finds no place in its set is refused. */
const SETS = 2_048;
const WAYS = 8;
const KEY_WORDS = 3;
const ADDRESS_WORD = ENDPOINT_ADDRESS_AT / 4;

/**
 * Limits handshake messages per IPv4 address, per IPv6 /64 and per path, while the device is under load.
 *
 * A token bucket for each address, kept as one number: the time at which the bucket is full again. A full
 * bucket holds no information, so its place in the table is free: no clean-up is needed, and the table
 * has a fixed size. Places depend on a random seed, so that chosen addresses cannot displace another address.
 *
 * Source: whitepaper §5.3; rate and burst as in the kernel module.
 */
export class RateLimiter {
  readonly #environment: Environment;
  #table: Table | undefined;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /**
   * Takes a token of the address, if it has one.
   *
   * @param endpointWords Endpoint records; `at` is the record's start, in words.
   */
  allow(endpointWords: Int32Array, at: number, nowMs: number): boolean {
    this.#table ??= makeTable(this.#environment);
    const family = endpointWords[at] & 0xff;
    const isPath = family === FAMILY_PATH; // an id has no network part, so that all of it counts
    const first = endpointWords[at + ADDRESS_WORD] ^ (isPath ? endpointWords[at + ADDRESS_WORD + 2] : 0);
    const rest = endpointWords[at + ADDRESS_WORD + 1] ^ (isPath ? endpointWords[at + ADDRESS_WORD + 3] : 0);
    const second = addressLength(family) === 4 ? 0 : rest;

    const place = findPlace(this.#table, family, first, second, nowMs);
    if (place < 0) return false;
    const fullAtMs = Math.max(this.#table.fullAtMs[place], nowMs) + COST_MS;
    if (fullAtMs - nowMs > BURST_MS) return false;
    this.#table.fullAtMs[place] = fullAtMs;
    return true;
  }
}

/** Allocated lazily: most devices are never under load. */
interface Table {
  readonly seed: number;
  /** KEY_WORDS per place: family, and the two first words of the address. */
  readonly keys: Int32Array;
  /** Places whose time is not after now are free. */
  readonly fullAtMs: Float64Array;
}

function makeTable(environment: Environment): Table {
  const seed = new Int32Array(1);
  environment.random(new Uint8Array(seed.buffer));
  return {
    seed: seed[0],
    keys: new Int32Array(SETS * WAYS * KEY_WORDS),
    fullAtMs: new Float64Array(SETS * WAYS).fill(-Infinity),
  };
}

/** @returns The place of the address, allocated if need be, or −1 if its set is full. */
function findPlace(table: Table, family: number, first: number, second: number, nowMs: number): number {
  const start = (hash(table.seed, first, second) & (SETS - 1)) * WAYS;
  let free = -1;
  for (let place = start; place < start + WAYS; place++) {
    if (table.fullAtMs[place] <= nowMs) {
      if (free < 0) free = place;
    } else if (hasKey(table.keys, place * KEY_WORDS, family, first, second)) {
      return place;
    }
  }
  if (free >= 0) writeKey(table.keys, free * KEY_WORDS, family, first, second);
  return free;
}

function hasKey(keys: Int32Array, at: number, family: number, first: number, second: number): boolean {
  return keys[at] === family && keys[at + 1] === first && keys[at + 2] === second;
}

function writeKey(keys: Int32Array, at: number, family: number, first: number, second: number): void {
  keys[at] = family;
  keys[at + 1] = first;
  keys[at + 2] = second;
}

/** Mixes the bits well enough for a table with a secret seed. */
function hash(seed: number, first: number, second: number): number {
  let mixed = Math.imul(seed ^ first, 0x9e37_79b1);
  mixed = Math.imul(mixed ^ (mixed >>> 15) ^ second, 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return mixed ^ (mixed >>> 16);
}
