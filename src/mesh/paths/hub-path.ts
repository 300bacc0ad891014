import type { Endpoint } from '../../wire/endpoint.js';
import type { MappedAddress } from '../probes/stun-message.js';
import { isSameRemote } from './candidate.js';

/** Probes at the start, and when the hub is in doubt. */
const SHOTS_AT_MS = [0, 300, 1_000, 2_000, 4_000];
/** UDP that is not answered for so long is given up for the carrier. */
const GIVE_UP_MS = 5_000;
/** While carried, UDP is tried again this often. */
const RETRY_MS = 30_000;
/** UDP that was answered is not in doubt for so long. */
const DOUBT_MS = 10_000;
/** Messages without an answer for so long put UDP in doubt. */
const PATIENCE_MS = 1_000;
const ANSWER_MS = 5_000;
/** After the return to UDP messages go both ways, until the hub has learned the address. */
const OVERLAP_MS = 2_000;

export type MappingKind = 'easy' | 'hard' | 'unknown';

export type HubWay = 'udp' | 'carried' | 'none';

export interface HubPathOptions {
  readonly random: (bytes: Uint8Array) => void;
  /** Mapping or round trip are known, or the way has changed. */
  readonly onChange: () => void;
  readonly wantCarrier: (isWanted: boolean) => void;
  /** Bytes of authentic messages that came from a peer until now. */
  readonly receivedBytes: (publicKey: Uint8Array) => number;
  /** UDP is in doubt: the NAT may have moved this host, and only WireGuard can show the hub where it is. */
  readonly onDoubt: () => void;
}

/** The count of bytes from a peer when a message left for it. */
interface Expectation {
  readonly publicKey: Uint8Array;
  readonly receivedBytes: number;
  readonly sinceMs: number;
}

interface Shot {
  readonly endpoint: Endpoint;
  readonly atMs: number;
}

/**
 * The way to the hub: by UDP as long as that is answered, else by the carrier. It also finds out how the NAT maps ports.
 *
 * Nothing is probed while the hub, or a peer behind it, answers what is sent. Keepalives expect no answer: a host that sends
 * nothing else notices blocked UDP by its next handshake with the hub.
 */
export class HubPath {
  publicKey: Uint8Array = new Uint8Array(32);
  readonly #options: HubPathOptions;
  readonly #pending = new Map<string, Shot & { readonly sentMs: number }>();
  #udp: Endpoint | undefined;
  #second: Endpoint | undefined;
  #carrier: Endpoint | undefined;
  #shots: Shot[] = [];
  #answeredMs = -Infinity;
  #doubtedMs = Infinity;
  #expected: Expectation | undefined;
  #rttMs: number | undefined;
  #isUdpDead = false;
  #overlapUntilMs = -Infinity;
  readonly #mapped = new Map<Endpoint, MappedAddress>();

  constructor(options: HubPathOptions) {
    this.#options = options;
  }

  /** Where messages to the hub go now. */
  get endpoint(): Endpoint | undefined {
    return this.#isUdpDead ? (this.#carrier ?? this.#udp) : this.#udp;
  }

  /** Where the hub is by UDP, also while that is not answered. */
  get udp(): Endpoint | undefined {
    return this.#udp;
  }

  /** A second way for the same messages. */
  secondWay(nowMs: number): Endpoint | undefined {
    return nowMs < this.#overlapUntilMs ? this.#carrier : undefined;
  }

  get isCarried(): boolean {
    return this.way === 'carried';
  }

  /** How the hub is reached. `none`: UDP is not answered, and there is no carrier now. */
  get way(): HubWay {
    if (this.#isUdpDead) return this.#carrier === undefined ? 'none' : 'carried';
    return this.#udp === undefined ? 'none' : 'udp';
  }

  get rttMs(): number | undefined {
    return this.#rttMs;
  }

  /** The public address of this host, as the hub's first port sees it. */
  get mapped(): MappedAddress | undefined {
    return this.#udp === undefined ? undefined : this.#mapped.get(this.#udp);
  }

  get mapping(): MappingKind {
    const [first, second] = [this.mapped, this.#second === undefined ? undefined : this.#mapped.get(this.#second)];
    if (first === undefined || second === undefined) return 'unknown';
    return first.port === second.port && Buffer.compare(first.address, second.address) === 0 ? 'easy' : 'hard';
  }

  /** Tests whether the hub is known to be there already. */
  isAt(udp: Endpoint, second: Endpoint | undefined): boolean {
    return isSame(this.#udp, udp) && isSame(this.#second, second);
  }

  /** @param udp `undefined`: not known, as where names are not found; the carrier is wanted at once. @param second The hub's second port. */
  setHub(publicKey: Uint8Array, udp: Endpoint | undefined, second: Endpoint | undefined, nowMs: number): void {
    this.publicKey = publicKey;
    this.#udp = udp;
    this.#second = second;
    if (udp === undefined && !this.#isUdpDead) {
      this.#isUdpDead = true;
      this.#options.wantCarrier(true);
    }
    this.restart(nowMs);
  }

  /** @param endpoint `undefined`: the carrier is gone. */
  setCarrier(endpoint: Endpoint | undefined): void {
    this.#carrier = endpoint;
    this.#options.onChange();
  }

  /** Begins anew, as after a change of the network. */
  restart(nowMs: number): void {
    this.#mapped.clear();
    this.#aim(nowMs);
    if (this.#second !== undefined) this.#shots.push({ endpoint: this.#second, atMs: nowMs + 100 });
  }

  /** Notes a message that expects an answer by way of the hub: one of the hub itself, or of a peer that it relays to. */
  noteTraffic(publicKey: Uint8Array, nowMs: number): void {
    const expected = this.#expected;
    if (this.#isUdpDead || this.#doubtedMs !== Infinity) return;
    if (expected !== undefined && nowMs - expected.sinceMs < PATIENCE_MS) return;
    const { receivedBytes, onDoubt } = this.#options;
    const isSilent = expected !== undefined && receivedBytes(expected.publicKey) === expected.receivedBytes;
    this.#expected = { publicKey, receivedBytes: receivedBytes(publicKey), sinceMs: nowMs };
    if (!isSilent || nowMs - this.#answeredMs < DOUBT_MS) return;
    this.#aim(nowMs);
    onDoubt();
  }

  answered(transactionId: Uint8Array, mapped: MappedAddress | undefined, nowMs: number): void {
    const shot = this.#pending.get(nameOf(transactionId));
    if (shot === undefined || nowMs - shot.sentMs > ANSWER_MS) return;
    this.#pending.delete(nameOf(transactionId));
    if (mapped !== undefined) this.#mapped.set(shot.endpoint, mapped);
    if (shot.endpoint === this.#udp) {
      this.#shots = this.#shots.filter(({ endpoint }) => endpoint !== this.#udp);
      this.#answeredMs = nowMs;
      this.#rttMs = nowMs - shot.sentMs;
      this.#doubtedMs = Infinity;
      if (this.#isUdpDead) {
        this.#isUdpDead = false;
        this.#overlapUntilMs = nowMs + OVERLAP_MS;
        this.#options.wantCarrier(false);
      }
    }
    this.#options.onChange();
  }

  nextDeadline(): number {
    const giveUpMs = this.#isUdpDead ? Infinity : this.#doubtedMs + GIVE_UP_MS;
    return this.#shots.reduce((first, { atMs }) => Math.min(first, atMs), giveUpMs);
  }

  runDue(nowMs: number, send: (transactionId: Uint8Array, to: Endpoint, publicKey: Uint8Array) => void): void {
    if (!this.#isUdpDead && nowMs >= this.#doubtedMs + GIVE_UP_MS) {
      this.#isUdpDead = true;
      this.#doubtedMs = Infinity;
      this.#options.wantCarrier(true);
    }
    const due = this.#shots.filter(({ atMs }) => atMs <= nowMs);
    this.#shots = this.#shots.filter(({ atMs }) => atMs > nowMs);
    for (const shot of due) this.#fire(shot, nowMs, send);
    const isWaiting = this.#shots.some(({ endpoint }) => endpoint === this.#udp);
    if (this.#isUdpDead && !isWaiting && this.#udp !== undefined)
      this.#shots.push({ endpoint: this.#udp, atMs: nowMs + RETRY_MS });
  }

  #aim(nowMs: number): void {
    const udp = this.#udp;
    if (udp === undefined) return;
    this.#doubtedMs = nowMs;
    this.#shots = SHOTS_AT_MS.map((afterMs) => ({ endpoint: udp, atMs: nowMs + afterMs }));
  }

  #fire(
    { endpoint, atMs }: Shot,
    nowMs: number,
    send: (transactionId: Uint8Array, to: Endpoint, publicKey: Uint8Array) => void,
  ): void {
    const transactionId = new Uint8Array(12);
    this.#options.random(transactionId);
    for (const [name, { sentMs }] of this.#pending) if (nowMs - sentMs > ANSWER_MS) this.#pending.delete(name);
    this.#pending.set(nameOf(transactionId), { endpoint, atMs, sentMs: nowMs });
    send(transactionId, endpoint, this.publicKey);
  }
}

function isSame(a: Endpoint | undefined, b: Endpoint | undefined): boolean {
  return a === undefined || b === undefined ? a === b : isSameRemote(a, b);
}

function nameOf(transactionId: Uint8Array): string {
  return Buffer.from(transactionId).toString('latin1');
}
