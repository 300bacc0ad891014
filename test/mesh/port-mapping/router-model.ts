/** A router of tests on virtual time: it writes the answers of RFC 6887 and RFC 6886 to a `PortMapper`. */
import { type ExternalAddress, formatPcpMapRequest } from '../../../src/mesh/port-mapping/pcp.js';
import { PortMapper } from '../../../src/mesh/port-mapping/port-mapper.js';

export const INTERNAL_PORT = 51_820;
export const NONCE = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
export const CLIENT_ADDRESS = Uint8Array.of(192, 168, 1, 7);
/** Another mapping than `PUBLIC`. */
export const OTHER: ExternalAddress = { address: Uint8Array.of(203, 0, 113, 2), port: 40_001 };
export const PUBLIC: ExternalAddress = { address: Uint8Array.of(203, 0, 113, 1), port: 40_000 };
export const HOUR_MS = 3_600_000;
export const RESTART_DELAY_MS = 3_000;

/** The kinds of requests, by version and opcode. */
export type Kind = 'pcp' | 'address' | 'nat-pmp';

export interface Sent {
  readonly atMs: number;
  readonly kind: Kind;
  readonly lifetimeSeconds: number;
  readonly suggestedPort: number;
}

/** A mapper, what it sends, and the time. */
export class MapperOnVirtualTime {
  readonly mapper: PortMapper;
  readonly sent: Sent[] = [];
  readonly changes: (ExternalAddress | undefined)[] = [];
  nowMs = 1_000_000;
  /** When the router started. */
  startedMs = this.nowMs - 100_000;

  constructor() {
    const fields = { internalPort: INTERNAL_PORT, clientAddress: CLIENT_ADDRESS, nonce: NONCE };
    this.mapper = new PortMapper({ ...fields, restartDelayMs: RESTART_DELAY_MS }, this.nowMs);
    this.mapper.onChange = (mapping) => this.changes.push(mapping);
    this.#run(this.nowMs);
  }

  /** Lets time pass, from one announced deadline to the next. */
  pass(durationMs: number): void {
    this.#run(this.nowMs + durationMs);
  }

  /** Lets time pass until a request is sent that is of this kind. @returns How much has passed. */
  passUntil(kind: Kind): number {
    const startMs = this.nowMs;
    const before = this.sent.length;
    while (!this.sent.slice(before).some((sent) => sent.kind === kind)) this.#runDue(this.mapper.nextDeadline());
    return this.nowMs - startMs;
  }

  hand(bytes: Uint8Array): void {
    this.mapper.handle(bytes, this.nowMs);
    this.#take();
  }

  close(): void {
    this.mapper.close(this.nowMs);
    this.#take();
  }

  answerPcp(fields: { result?: number; lifetimeSeconds?: number; mapping?: ExternalAddress; nonce?: Uint8Array } = {}) {
    const { result = 0, lifetimeSeconds = 7_200, mapping = PUBLIC, nonce = NONCE } = fields;
    const request = { clientAddress: CLIENT_ADDRESS, nonce, internalPort: INTERNAL_PORT };
    const bytes = formatPcpMapRequest({ ...request, lifetimeSeconds: 1, suggested: mapping });
    bytes.set([2, 0x81, 0, result, ...word(lifetimeSeconds), ...word(this.#age()), ...new Uint8Array(12)]);
    this.hand(bytes);
  }

  answerAddress(address: Uint8Array = PUBLIC.address, result = 0): void {
    this.hand(Uint8Array.of(0, 0x80, 0, result, ...word(this.#age()), ...address));
  }

  answerNatPmp(fields: { result?: number; lifetimeSeconds?: number; internalPort?: number } = {}): void {
    const { result = 0, lifetimeSeconds = 7_200, internalPort = INTERNAL_PORT } = fields;
    const ports = [internalPort >> 8, internalPort & 0xff, PUBLIC.port >> 8, PUBLIC.port & 0xff];
    this.hand(Uint8Array.of(0, 0x81, 0, result, ...word(this.#age()), ...ports, ...word(lifetimeSeconds)));
  }

  announcePcp(): void {
    this.hand(Uint8Array.of(2, 0x80, 0, 0, 0, 0, 0, 0, ...word(this.#age()), ...new Uint8Array(12)));
  }

  refuseVersion(): void {
    this.hand(Uint8Array.of(0, 0, 0, 1, ...word(this.#age())));
  }

  restartRouter(): void {
    this.startedMs = this.nowMs;
  }

  #age(): number {
    return Math.floor((this.nowMs - this.startedMs) / 1_000);
  }

  #run(untilMs: number): void {
    while (this.mapper.nextDeadline() <= untilMs) this.#runDue(this.mapper.nextDeadline());
    this.nowMs = untilMs;
  }

  #runDue(atMs: number): void {
    this.nowMs = Math.max(this.nowMs, atMs);
    this.mapper.runDue(this.nowMs);
    this.#take();
  }

  #take(): void {
    for (const bytes of this.mapper.outbox.splice(0)) this.sent.push({ atMs: this.nowMs, ...read(bytes) });
  }
}

/** A mapper whose mapping PCP has granted. */
export function granted(lifetimeSeconds = 7_200): MapperOnVirtualTime {
  const run = new MapperOnVirtualTime();
  run.answerPcp({ lifetimeSeconds });
  return run;
}

/** A mapper whose mapping NAT-PMP has granted. */
export function grantedByNatPmp(): MapperOnVirtualTime {
  const run = new MapperOnVirtualTime();
  run.refuseVersion();
  run.answerAddress();
  run.answerNatPmp();
  return run;
}

function read(bytes: Uint8Array): Omit<Sent, 'atMs'> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length === 60)
    return { kind: 'pcp', lifetimeSeconds: view.getUint32(4), suggestedPort: view.getUint16(42) };
  if (bytes.length === 2) return { kind: 'address', lifetimeSeconds: 0, suggestedPort: 0 };
  return { kind: 'nat-pmp', lifetimeSeconds: view.getUint32(8), suggestedPort: view.getUint16(6) };
}

function word(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
}
