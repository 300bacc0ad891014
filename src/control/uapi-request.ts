import type { DeviceChange } from '../core/configuration.js';
import { HeldLine } from './held-line.js';
import { Errno, type UapiRefusal } from './uapi-errno.js';
import { SetParser } from './uapi-set-parser.js';
import type { ZoneNames } from './zone-names.js';

/** A request of one connection. */
export type UapiRequest =
  | { readonly kind: 'get' }
  /** Our own addition: requests the reasons, where `get` requests the state. */
  | { readonly kind: 'explain' }
  /** The keys in `change` are wiped by `clear`, which is called whether or not the change succeeds. */
  | { readonly kind: 'set'; readonly change: DeviceChange; readonly clear: () => void }
  | { readonly kind: 'refused'; readonly operation: 'get' | 'set'; readonly refusal: UapiRefusal }
  /** An unknown operation: not our protocol, and not answered. */
  | { readonly kind: 'unknown' };

/** The longest valid line has about 130 bytes. */
export const MAX_LINE_BYTES = 1_024;
/** More than twice the size of a request for the greatest device with a dozen allowed IPs per peer. */
export const MAX_REQUEST_BYTES = 64 * 1_024 * 1_024;

const NEWLINE = 0x0a;

/** The state of a reader of the bytes of a connection. */
type State =
  | { readonly kind: 'operation' }
  | { readonly kind: 'question'; readonly operation: 'get' | 'explain' }
  | { readonly kind: 'set'; readonly parser: SetParser; bytesRead: number }
  /** A line of a `set` was refused: the rest of the request is skipped. */
  | { readonly kind: 'refused-set'; readonly refusal: UapiRefusal }
  | { readonly kind: 'done'; readonly request: UapiRequest };

const OPERATION: State = { kind: 'operation' };

/**
 * Cuts the bytes of a connection into requests, wherever they were cut on the way.
 *
 * ```text
 *              "get=1", "explain=1"               ""
 *  operation ──────────────────────▶ question ─────────▶ done: get, explain
 *      │                                 └── else ─────▶ done: refused
 *      │       "set=1"                   "" or EOF
 *      ├──────────────▶ set ───────────────────────────▶ done: set
 *      │                 └ a bad line ▶ refused-set ───▶ done: refused
 *      └─ else ────────────────────────────────────────▶ done: unknown       done ── takeRequest ──▶ operation
 * ```
 *
 * A refused `set` is read to its end, so that the next request is found; skipping costs no memory.
 */
export class UapiRequestReader {
  readonly #readZones: () => ZoneNames;
  readonly #held = new HeldLine(MAX_LINE_BYTES);
  #state: State = OPERATION;

  /** @param readZones Called once per `set`. */
  constructor(readZones: () => ZoneNames) {
    this.#readZones = readZones;
  }

  /** Reads from `at` to the end of a request or of the chunk. @returns The place of the next unread byte. */
  read(chunk: Buffer, at: number): number {
    while (at < chunk.length && this.#state.kind !== 'done') {
      if (this.#state.kind === 'question' && chunk[at] !== NEWLINE) {
        this.#finish({ kind: 'refused', operation: 'get', refusal: NOTHING_AFTER_GET });
        break;
      }
      const newline = chunk.indexOf(NEWLINE, at);
      if (newline < 0) this.#hold(chunk, at);
      else this.#readLineTo(chunk, at, newline);
      at = newline < 0 ? chunk.length : newline + 1;
    }
    return at;
  }

  /** Ends the input: the text so far counts as the whole request. */
  end(): void {
    if (this.#state.kind === 'operation' || this.#state.kind === 'done') return;
    if (this.#held.length > 0) this.#readHeldLine();
    this.#readEmptyLine();
  }

  /** Returns a complete request, once. */
  takeRequest(): UapiRequest | undefined {
    if (this.#state.kind !== 'done') return undefined;
    const { request } = this.#state;
    this.#state = OPERATION;
    return request;
  }

  /** Wipes a request that was read in part. */
  clear(): void {
    if (this.#state.kind === 'set') this.#state.parser.clear();
    this.#held.clear();
  }

  #hold(chunk: Buffer, start: number): void {
    this.#held.append(chunk, start, chunk.length);
    if (this.#held.isTooLong && this.#state.kind === 'operation') this.#finish({ kind: 'unknown' });
  }

  #readLineTo(chunk: Buffer, start: number, newline: number): void {
    if (this.#held.length === 0 && newline - start <= MAX_LINE_BYTES) {
      this.#readLine(chunk, start, newline);
      return;
    }
    this.#held.append(chunk, start, newline);
    this.#readHeldLine();
  }

  #readHeldLine(): void {
    if (this.#held.isTooLong) this.#readTooLongLine();
    else this.#readLine(this.#held.bytes, 0, this.#held.length);
    this.#held.clear();
  }

  #readLine(bytes: Buffer, start: number, end: number): void {
    if (this.#state.kind === 'operation') this.#readOperation(bytes.toString('latin1', start, end));
    else if (start === end) this.#readEmptyLine();
    else if (this.#state.kind === 'set') this.#readSetLine(this.#state, bytes, start, end);
  }

  #readTooLongLine(): void {
    if (this.#state.kind === 'set') this.#refuseSet(this.#state.parser, LINE_TOO_LONG);
    else if (this.#state.kind === 'operation') this.#finish({ kind: 'unknown' });
  }

  #readOperation(line: string): void {
    switch (line) {
      case 'get=1':
        this.#state = { kind: 'question', operation: 'get' };
        break;
      case 'explain=1':
        this.#state = { kind: 'question', operation: 'explain' };
        break;
      case 'set=1':
        this.#state = { kind: 'set', parser: new SetParser(this.#readZones()), bytesRead: 0 };
        break;
      default:
        this.#finish({ kind: 'unknown' });
    }
  }

  #readSetLine(state: State & { kind: 'set' }, bytes: Buffer, start: number, end: number): void {
    state.bytesRead += end - start + 1;
    const refusal = state.bytesRead > MAX_REQUEST_BYTES ? REQUEST_TOO_LONG : state.parser.readLine(bytes, start, end);
    if (refusal !== undefined) this.#refuseSet(state.parser, refusal);
  }

  #refuseSet(parser: SetParser, refusal: UapiRefusal): void {
    parser.clear();
    this.#state = { kind: 'refused-set', refusal };
  }

  /** Completes a request at an empty line or at the end of the connection. */
  #readEmptyLine(): void {
    const state = this.#state;
    switch (state.kind) {
      case 'question':
        this.#finish({ kind: state.operation });
        break;
      case 'set':
        this.#finish({ kind: 'set', change: state.parser.finish(), clear: () => state.parser.clear() });
        break;
      case 'refused-set':
        this.#finish({ kind: 'refused', operation: 'set', refusal: state.refusal });
        break;
      case 'operation':
      case 'done':
        break;
    }
  }

  #finish(request: UapiRequest): void {
    this.#state = { kind: 'done', request };
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
