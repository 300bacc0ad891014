import { NO_KEY, type PacketBatch } from '../core/packets/packet-batch.js';
import { Verdict } from '../core/packets/verdict.js';
import type { AeadStage } from '../core/ports.js';

const COUNTER_AT = 8;

/**
 * A ledger of the counters of every key of a simulation, shared by all nodes.
 *
 * The ledger enforces two rules and throws on a breach: no key is used for sending by two parties or twice, and the
 * counters under a key only grow (whitepaper §5.4.6).
 */
export class NonceLedger {
  sealedMessages = 0;
  /** Number of gaps between counters. A gap is no danger, but a device leaves no gaps by itself. */
  gaps = 0;
  readonly #nextCounters = new Map<string, bigint>();

  /** @throws {Error} if the key was registered before, by any party. */
  register(key: string): void {
    if (this.#nextCounters.has(key)) throw new Error('a sending key was installed twice');
    this.#nextCounters.set(key, 0n);
  }

  /** @throws {Error} if the counter was used before. */
  use(key: string, counter: bigint): void {
    const expected = this.#nextCounters.get(key);
    if (expected === undefined || counter < expected)
      throw new Error(`counter ${counter} was used where ${expected} is next`);
    if (counter > expected) this.gaps++;
    this.#nextCounters.set(key, counter + 1n);
    this.sealedMessages++;
  }

  get keyCount(): number {
    return this.#nextCounters.size;
  }
}

/** An AEAD stage under observation: forwards every call to another stage and enforces the rules of its ledger. */
export class AuditedAead implements AeadStage {
  readonly #inner: AeadStage;
  readonly #ledger: NonceLedger;
  readonly #keys = new Map<number, string>();

  constructor(inner: AeadStage, ledger: NonceLedger) {
    this.#inner = inner;
    this.#ledger = ledger;
  }

  /** Slots that hold keys. It is 0 after a device has wiped everything. */
  get liveSlots(): number {
    return this.#keys.size;
  }

  installKeys(sendKey: Uint8Array, receiveKey: Uint8Array): number {
    const key = Buffer.from(sendKey).toString('hex');
    this.#ledger.register(key);
    const slot = this.#inner.installKeys(sendKey, receiveKey);
    this.#keys.set(slot, key);
    return slot;
  }

  /** @throws {Error} if the slot was wiped before. */
  wipeKeys(slot: number): void {
    if (!this.#keys.delete(slot)) throw new Error(`slot ${slot} was wiped twice`);
    this.#inner.wipeKeys(slot);
  }

  seal(batch: PacketBatch): void {
    for (let row = 0; row < batch.count; row++) {
      if (batch.verdict[row] !== Verdict.Pass || batch.keySlot[row] === NO_KEY) continue;
      const at = batch.offset[row]! + COUNTER_AT;
      const counter = Buffer.from(batch.bytes.buffer, batch.bytes.byteOffset + at, 8).readBigUInt64LE();
      this.#ledger.use(this.#keyOf(batch.keySlot[row]!), counter);
    }
    this.#inner.seal(batch);
  }

  open(batch: PacketBatch): void {
    for (let row = 0; row < batch.count; row++)
      if (batch.verdict[row] === Verdict.Pass && batch.keySlot[row] !== NO_KEY) this.#keyOf(batch.keySlot[row]!);
    this.#inner.open(batch);
  }

  /** @throws {Error} if the slot holds no keys: a wiped key was about to be used. */
  #keyOf(slot: number): string {
    const key = this.#keys.get(slot);
    if (key === undefined) throw new Error(`slot ${slot} was used without keys`);
    return key;
  }
}
