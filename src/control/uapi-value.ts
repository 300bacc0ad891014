import type { AllowedIpChange } from '../core/configuration.js';
import type { Endpoint } from '../wire/endpoint.js';
import { parseEndpoint } from './endpoint-text.js';
import { parseIpPrefix } from './ip-text.js';
import { KEY_HEX_BYTES, readHexKey } from './key-hex.js';
import type { ZoneNames } from './zone-names.js';

const KEY_BYTES = 32;
const DECIMAL = /^[0-9]{1,20}$/;

/**
 * The value of one line of a `set`, `bytes[start…end)`.
 *
 * An invalid value is recorded as `refusal`, which never repeats it: the value may be a secret.
 * The results of the methods are then invalid.
 */
export class UapiValue {
  readonly #bytes: Buffer;
  readonly #start: number;
  readonly #end: number;
  /** The reason for refusing the value; `undefined` while it is valid. */
  refusal: string | undefined;

  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
  }

  get text(): string {
    return this.#bytes.toString('latin1', this.#start, this.#end);
  }

  refuse(why: string): void {
    this.refusal ??= why;
  }

  /** @returns 32 bytes, which the caller owns and clears. */
  key(): Uint8Array {
    const key = readHexKey(this.#bytes, this.#start, this.#end);
    if (key === undefined) this.refuse(`not a key of ${KEY_HEX_BYTES} hexadecimal digits`);
    return key ?? new Uint8Array(KEY_BYTES);
  }

  number(max: number): number {
    const { text } = this;
    const number = DECIMAL.test(text) ? Number(text) : Number.NaN;
    if (!(number <= max)) this.refuse(`not a decimal number from 0 to ${max}`);
    return number;
  }

  /** Reads a switch whose only valid value is `true`. */
  isTrue(): true {
    if (this.text !== 'true') this.refuse('not "true"');
    return true;
  }

  endpoint(zones: ZoneNames): Endpoint | undefined {
    const endpoint = parseEndpoint(this.text, zones);
    if (endpoint === undefined) this.refuse('not an address with a port');
    return endpoint;
  }

  allowedIp(): AllowedIpChange | undefined {
    const { text } = this;
    const isRemoval = text.startsWith('-');
    const prefix = parseIpPrefix(isRemoval ? text.slice(1) : text);
    if (prefix === undefined) this.refuse('not an address with a prefix length');
    return prefix && { ...prefix, isRemoval };
  }
}
