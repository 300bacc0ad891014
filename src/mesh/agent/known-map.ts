import type { MapEntry, MapMessage } from '../map/messages.js';
import type { RuleText } from '../map/rule-text.js';
import { fromBase64, type NodeRecord, problemOfRecord, type RecordProblem } from '../records/node-record.js';

/** A hub that lies without end fills no memory. */
const MAX_REFUSED = 100;

export interface KnownMapOptions {
  /** Base64. */
  readonly networkId: string;
  readonly signingKey: string;
  readonly entries: readonly MapEntry[];
  readonly rules: readonly RuleText[];
  readonly rev?: number | undefined;
  readonly seen: Readonly<Record<string, { readonly serial: number; readonly keySeq: number }>>;
}

/** A record that was refused: the last good one stays. */
export interface RefusedRecord {
  readonly id: string;
  readonly name: string;
  /** `other-node`: it is no record of this node, as which it was given. `hub-key`: the hub says that it has another key. */
  readonly problem: RecordProblem | 'other-node' | 'hub-key';
}

/**
 * The part of the network that an agent knows. It takes in what the hub says only as far as the signatures hold: a record that
 * does not verify is refused, and the one before stays.
 */
export class KnownMap {
  readonly entries = new Map<string, MapEntry>();
  readonly seen = new Map<string, { readonly serial: number; readonly keySeq: number }>();
  readonly #networkId: Uint8Array;
  readonly #signingKey: Uint8Array;
  #rules: readonly RuleText[];
  #rev: number | undefined;
  /** Records that were refused. What was named and is not refused any more is taken out. */
  readonly refused = new Map<string, RefusedRecord>();

  constructor({ networkId, signingKey, entries, rules, rev, seen }: KnownMapOptions) {
    this.#networkId = fromBase64(networkId);
    this.#signingKey = fromBase64(signingKey);
    this.#rules = rules;
    this.#rev = rev;
    for (const entry of entries) this.entries.set(entry.record.id, entry);
    for (const [id, numbers] of Object.entries(seen)) this.seen.set(id, numbers);
  }

  /** `undefined`: everything is wanted again, since records are missing that the hub takes for known. */
  get rev(): number | undefined {
    return this.#rev;
  }

  get rules(): readonly RuleText[] {
    return this.#rules;
  }

  /** Takes a map or what has changed in it. @returns What was refused. */
  apply(message: MapMessage, nowUnixMs: number): readonly RefusedRecord[] {
    const refused = message.put.flatMap((entry) => this.#put(entry, nowUnixMs));
    for (const id of message.del) {
      this.entries.delete(id);
      this.refused.delete(id);
    }
    if (message.full) {
      const named = new Set(message.put.map(({ record }) => record.id));
      for (const id of [...this.entries.keys()]) if (!named.has(id)) this.entries.delete(id);
    }
    if (message.full) this.refused.clear();
    for (const record of refused) this.noteRefused(record);
    if (message.rules !== undefined) this.#rules = message.rules;
    this.#rev = this.refused.size > 0 ? undefined : message.rev;
    return refused;
  }

  /** Whether a record is signed and in time, as for the agent's own. */
  problemOf({ record }: MapEntry, nowUnixMs: number): RecordProblem | undefined {
    const { id } = record;
    const check = { networkId: this.#networkId, signingKey: this.#signingKey, nowUnixMs, seen: this.seen.get(id) };
    return problemOfRecord(record as NodeRecord, check);
  }

  /** Removes the nodes whose record has run out. @returns Their ids. */
  expire(nowUnixMs: number): readonly string[] {
    const expired = [...this.entries.values()]
      .filter(({ record }) => record.notAfterUnixMs < nowUnixMs)
      .map(({ record }) => record.id);
    for (const id of expired) this.entries.delete(id);
    if (expired.length > 0) this.#rev = undefined;
    return expired;
  }

  /** When the next record runs out, in wall-clock time. */
  get nextExpiryUnixMs(): number {
    let next = Infinity;
    for (const { record } of this.entries.values()) next = Math.min(next, record.notAfterUnixMs);
    return next;
  }

  noteRefused(record: RefusedRecord): void {
    if (this.refused.size < MAX_REFUSED || this.refused.has(record.id)) this.refused.set(record.id, record);
  }

  #put(entry: MapEntry, nowUnixMs: number): readonly RefusedRecord[] {
    const { id, name, serial, keySeq } = entry.record;
    const problem = this.problemOf(entry, nowUnixMs);
    if (problem !== undefined) return [{ id, name, problem }];
    this.entries.set(id, entry);
    this.seen.set(id, { serial, keySeq });
    this.refused.delete(id);
    return [];
  }
}
