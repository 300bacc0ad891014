import type { DeviceChange } from '../core/configuration.js';
import { Errno, type UapiRefusal } from './uapi-errno.js';
import { SetParser } from './uapi-set-parser.js';
import type { ZoneNames } from './zone-names.js';

/** What one connection asked for. */
export type UapiRequest =
  | { readonly kind: 'get' }
  /** Ours: asks for reasons where `get` asks for the state. */
  | { readonly kind: 'explain' }
  /** The keys in `change` are wiped by `clear`, which is called whatever becomes of the change. */
  | { readonly kind: 'set'; readonly change: DeviceChange; readonly clear: () => void }
  | { readonly kind: 'refused'; readonly operation: 'get' | 'set'; readonly refusal: UapiRefusal }
  /** No operation that is known: not our protocol, no answer is owed. */
  | { readonly kind: 'unknown' };

/** The longest line that means anything has about 130 bytes. */
export const MAX_LINE_BYTES = 1_024;
/** More than twice what the greatest device with a dozen allowed IPs a peer needs. */
export const MAX_REQUEST_BYTES = 64 * 1_024 * 1_024;

const NEWLINE = 0x0a;

/**
 * Cuts the bytes of a connection into requests, wherever they were cut on the way.
 *
 * ```text
 *              "get=1"                 ""
 *  operation ───────────▶ get ───────────────────▶ request: get      ──▶ operation
 *      │     "explain=1"                ""
 *      ├────────────────▶ explain ───────────────▶ request: explain  ──▶ operation
 *      │       "set=1"                 ""  or EOF
 *      ├────────────────▶ set ───────────────────▶ request: set      ──▶ operation
 *      │ else              └─ a line is refused: the rest is skipped, then
 *      ▼                                          ▶ request: refused ──▶ operation
 *  request: unknown
 * ```
 *
 * A refused `set` is read to its end, so that the next request is found; skipping costs no memory.
 */
export class UapiRequestReader {
  readonly #readZones: () => ZoneNames;
  #state: 'operation' | 'get' | 'explain' | 'set' = 'operation';
  #request: UapiRequest | undefined;

  #parser: SetParser | undefined;
  #refusal: UapiRefusal | undefined;
  #requestBytes = 0;

  /** The start of a line whose end has not come yet. May hold a secret. */
  readonly #kept = Buffer.alloc(MAX_LINE_BYTES);
  #keptBytes = 0;
  #isTooLong = false;

  /** @param readZones Called once per `set`. */
  constructor(readZones: () => ZoneNames) {
    this.#readZones = readZones;
  }

  /** Reads from `at` to the end of a request or of the chunk. @returns Where to go on. */
  read(chunk: Buffer, at: number): number {
    while (at < chunk.length && this.#request === undefined) {
      if (this.#isQuestion && chunk[at] !== NEWLINE) {
        this.#finish({ kind: 'refused', operation: 'get', refusal: NOTHING_AFTER_GET });
        break;
      }
      const newline = chunk.indexOf(NEWLINE, at);
      if (newline < 0) return this.#keep(chunk, at, chunk.length);
      this.#readLineTo(chunk, at, newline);
      at = newline + 1;
    }
    return at;
  }

  /** The other side says no more: what stands there so far is taken for the whole request. */
  end(): void {
    this.#finishQuestion();
    if (this.#state !== 'set') return;
    if (this.#keptBytes > 0) this.#readKeptLine();
    if (this.#request === undefined) this.#finishSet();
  }

  /** The request that is complete, once. */
  takeRequest(): UapiRequest | undefined {
    const request = this.#request;
    this.#request = undefined;
    return request;
  }

  /** Wipes what a half-read request left. */
  clear(): void {
    this.#parser?.clear();
    this.#kept.fill(0);
  }

  #readLineTo(chunk: Buffer, at: number, newline: number): void {
    if (this.#keptBytes === 0 && newline - at <= MAX_LINE_BYTES) {
      this.#readLine(chunk, at, newline);
      return;
    }
    this.#keep(chunk, at, newline);
    this.#readKeptLine();
  }

  #readKeptLine(): void {
    this.#readLine(this.#kept, 0, this.#keptBytes);
    this.#kept.fill(0, 0, this.#keptBytes);
    this.#keptBytes = 0;
    this.#isTooLong = false;
  }

  #keep(chunk: Buffer, at: number, end: number): number {
    const room = MAX_LINE_BYTES - this.#keptBytes;
    if (end - at > room) {
      this.#isTooLong = true;
      if (this.#state === 'operation') this.#finish({ kind: 'unknown' });
    }
    this.#keptBytes += chunk.copy(this.#kept, this.#keptBytes, at, Math.min(end, at + room));
    return end;
  }

  #readLine(bytes: Buffer, start: number, end: number): void {
    if (this.#state === 'set') this.#readSetLine(bytes, start, end);
    else if (this.#isQuestion) this.#finishQuestion();
    else this.#readOperation(bytes.toString('latin1', start, end));
  }

  /** An operation of one line, which an empty line follows. */
  get #isQuestion(): boolean {
    return this.#state === 'get' || this.#state === 'explain';
  }

  #finishQuestion(): void {
    if (this.#state === 'get' || this.#state === 'explain') this.#finish({ kind: this.#state });
  }

  #readOperation(line: string): void {
    if (line === 'get=1') {
      this.#state = 'get';
    } else if (line === 'explain=1') {
      this.#state = 'explain';
    } else if (line === 'set=1') {
      this.#state = 'set';
      this.#parser = new SetParser(this.#readZones());
    } else {
      this.#finish({ kind: 'unknown' });
    }
  }

  #readSetLine(bytes: Buffer, start: number, end: number): void {
    if (start === end) {
      this.#finishSet();
      return;
    }
    this.#requestBytes += end - start + 1;
    if (this.#refusal !== undefined) return;

    if (this.#isTooLong) this.#refusal = LINE_TOO_LONG;
    else if (this.#requestBytes > MAX_REQUEST_BYTES) this.#refusal = REQUEST_TOO_LONG;
    else this.#refusal = this.#parser!.readLine(bytes, start, end);
    if (this.#refusal !== undefined) this.#parser!.clear();
  }

  #finishSet(): void {
    const parser = this.#parser!;
    const refusal = this.#refusal;
    this.#parser = undefined;
    this.#refusal = undefined;
    this.#requestBytes = 0;
    if (refusal !== undefined) this.#finish({ kind: 'refused', operation: 'set', refusal });
    else this.#finish({ kind: 'set', change: parser.finish(), clear: () => parser.clear() });
  }

  #finish(request: UapiRequest): void {
    this.#state = 'operation';
    this.#request = request;
  }
}

const NOTHING_AFTER_GET: UapiRefusal = {
  errno: Errno.Invalid,
  key: '',
  reason: 'get=1 has to be followed by an empty line',
};
const LINE_TOO_LONG: UapiRefusal = {
  errno: Errno.Invalid,
  key: '',
  reason: `a line of more than ${MAX_LINE_BYTES} bytes`,
};
const REQUEST_TOO_LONG: UapiRefusal = {
  errno: Errno.TooLong,
  key: '',
  reason: `a request of more than ${MAX_REQUEST_BYTES} bytes`,
};
