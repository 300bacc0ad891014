import type { Endpoint } from '../../wire/endpoint.js';
import { type Candidate, isProbeable, isSameRemote, MAX_CANDIDATES } from './candidate.js';

/** When the shots of one punch leave: the first may be lost, or come before the other side has opened its NAT. */
const SHOTS_AT_MS = [0, 100, 300];
/** Shots at one address that are never answered, until the network changes or this time has passed. */
const MAX_TRIES = 10;
/** A probe of the peer from such an address earns one more shot, but not before this time has passed. */
const EARNED_MS = 1_000;
/** Addresses that are tried in that time: a peer that names ever new ones aims at nobody. */
const MAX_TRIED = 4 * MAX_CANDIDATES;
const FORGET_TRIES_MS = 300_000;
/** An answer that comes later than this is no answer. */
const ANSWER_MS = 5_000;

interface Shot {
  readonly endpoint: Endpoint;
  readonly atMs: number;
}

interface Pending {
  readonly endpoint: Endpoint;
  readonly sentMs: number;
}

/** The probes of one peer: which leave when, and which are waited for. */
export class ProbeShots {
  readonly #random: (bytes: Uint8Array) => void;
  #shots: Shot[] = [];
  readonly #pending = new Map<string, Pending>();
  readonly #tries: { readonly endpoint: Endpoint; count: number; lastMs: number }[] = [];
  #triesSinceMs = 0;

  constructor(random: (bytes: Uint8Array) => void) {
    this.#random = random;
  }

  /** Aims three shots at each candidate. Those of an earlier punch that have not left are given up. */
  aim(candidates: readonly Candidate[], startMs: number): void {
    this.#shots = candidates
      .filter(({ endpoint }) => isProbeable(endpoint))
      .slice(0, MAX_CANDIDATES)
      .flatMap(({ endpoint }) => SHOTS_AT_MS.map((afterMs) => ({ endpoint, atMs: startMs + afterMs })));
  }

  /** Adds one shot. */
  add(endpoint: Endpoint, atMs: number): void {
    if (this.#shots.length < MAX_CANDIDATES * SHOTS_AT_MS.length) this.#shots.push({ endpoint, atMs });
  }

  /** A verified probe of the peer came from an address, which is thus no invention: it is worth a shot. */
  heardFrom(endpoint: Endpoint, nowMs: number): void {
    const tries = this.#triesAt(endpoint);
    if (tries !== undefined && nowMs - tries.lastMs >= EARNED_MS) tries.count = Math.min(tries.count, MAX_TRIES - 1);
    this.add(endpoint, nowMs);
  }

  get nextMs(): number {
    return this.#shots.reduce((first, { atMs }) => Math.min(first, atMs), Infinity);
  }

  /** Sends the shots that are due. */
  fire(nowMs: number, send: (transactionId: Uint8Array, to: Endpoint) => void): void {
    const due = this.#shots.filter(({ atMs }) => atMs <= nowMs);
    if (due.length === 0) return;
    this.#shots = this.#shots.filter(({ atMs }) => atMs > nowMs);
    for (const { endpoint } of due) if (this.#mayTry(endpoint, nowMs)) this.#send(endpoint, nowMs, send);
  }

  /** Sends one probe whatever was tried before, as to a path that is in use. */
  #send(endpoint: Endpoint, nowMs: number, send: (transactionId: Uint8Array, to: Endpoint) => void): void {
    const transactionId = new Uint8Array(12);
    this.#random(transactionId);
    for (const [name, { sentMs }] of this.#pending) if (nowMs - sentMs > ANSWER_MS) this.#pending.delete(name);
    this.#pending.set(nameOf(transactionId), { endpoint, sentMs: nowMs });
    send(transactionId, endpoint);
  }

  /** Takes the answer to one of our own probes. @returns `undefined`: it is none, or too late. */
  answered(
    transactionId: Uint8Array,
    nowMs: number,
  ): { readonly endpoint: Endpoint; readonly rttMs: number } | undefined {
    const pending = this.#pending.get(nameOf(transactionId));
    if (pending === undefined) return undefined;
    this.#pending.delete(nameOf(transactionId));
    const rttMs = nowMs - pending.sentMs;
    if (rttMs > ANSWER_MS) return undefined;
    const tries = this.#triesAt(pending.endpoint);
    if (tries !== undefined) tries.count = 0;
    return { endpoint: pending.endpoint, rttMs };
  }

  /** Another network: everything may be tried again. */
  reset(): void {
    this.#shots = [];
    this.#pending.clear();
    this.#tries.length = 0;
  }

  #mayTry(endpoint: Endpoint, nowMs: number): boolean {
    if (nowMs - this.#triesSinceMs > FORGET_TRIES_MS) {
      this.#tries.length = 0;
      this.#triesSinceMs = nowMs;
    }
    const tries = this.#triesAt(endpoint);
    if (tries === undefined) {
      if (this.#tries.length >= MAX_TRIED) return false;
      this.#tries.push({ endpoint, count: 1, lastMs: nowMs });
      return true;
    }
    if (tries.count >= MAX_TRIES) return false;
    tries.count++;
    tries.lastMs = nowMs;
    return true;
  }

  #triesAt(endpoint: Endpoint) {
    return this.#tries.find((tried) => isSameRemote(tried.endpoint, endpoint));
  }
}

function nameOf(transactionId: Uint8Array): string {
  return Buffer.from(transactionId).toString('latin1');
}
