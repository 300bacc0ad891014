import type { AllowedIpChange, DeviceChange, PeerChange } from '../core/configuration.js';
import { parseEndpoint } from './endpoint-text.js';
import { parseIpPrefix } from './ip-text.js';
import { readHexKey } from './key-hex.js';
import { Errno, type UapiRefusal } from './uapi-errno.js';
import type { ZoneNames } from './zone-names.js';

const DECIMAL = /^[0-9]{1,20}$/;
const MAX_U16 = 0xffff;
const MAX_U32 = 0xffff_ffff;
const EQUALS = 0x3d;

/** A `PeerChange` while its block is being read. */
type Block = { -readonly [Key in keyof PeerChange]: PeerChange[Key] } & { allowedIps: AllowedIpChange[] };

/** Takes the value of a line, `bytes[start…end)`. @returns Why it is refused, or `undefined`. */
type LineReader = (parser: SetParser, bytes: Buffer, start: number, end: number) => string | undefined;

/**
 * Reads the body of a `set`, line by line, into one `DeviceChange`.
 *
 * Nothing is applied before the whole text was understood. Lines of the device come first; the first
 * `public_key` ends them, and every further one starts another peer. Within a peer's block
 * `replace_allowed_ips` discards the `allowed_ip` lines before it, and `remove` and `update_only` count
 * for the whole block wherever they stand.
 *
 * Source: https://www.wireguard.com/xplatform/#configuration-protocol
 */
export class SetParser {
  readonly zones: ZoneNames;
  readonly device: { privateKey?: Uint8Array; listenPort?: number; fwmark?: number; replacePeers: boolean } = {
    replacePeers: false,
  };
  readonly #blocks: Block[] = [];

  constructor(zones: ZoneNames) {
    this.zones = zones;
  }

  /** The block that is being read; `undefined` while lines of the device are. */
  get block(): Block | undefined {
    return this.#blocks[this.#blocks.length - 1];
  }

  /** Reads the line `bytes[start…end)`, without its newline. @returns Why the request is refused, or `undefined`. */
  readLine(bytes: Buffer, start: number, end: number): UapiRefusal | undefined {
    const equals = bytes.subarray(start, end).indexOf(EQUALS);
    if (equals < 0) return { errno: Errno.Protocol, key: '', reason: 'a line without "="' };

    const key = bytes.toString('latin1', start, start + equals);
    const reader = (this.block === undefined ? DEVICE_LINES : PEER_LINES).get(key);
    const reason = reader === undefined ? this.#explainKey(key) : reader(this, bytes, start + equals + 1, end);
    if (reason === undefined) return undefined;
    // An unknown key may be anything, a secret too.
    return { errno: Errno.Invalid, key: reader === undefined ? '' : key, reason };
  }

  /** @returns The change. Its keys belong to the parser: `clear` wipes them. */
  finish(): DeviceChange {
    return { ...this.device, peers: this.#blocks };
  }

  startBlock(publicKey: Uint8Array): void {
    this.#blocks.push({ publicKey, isRemoval: false, isUpdateOnly: false, replaceAllowedIps: false, allowedIps: [] });
  }

  /** Wipes the secret keys. Call it once the change is applied or refused. */
  clear(): void {
    this.device.privateKey?.fill(0);
    for (const block of this.#blocks) block.presharedKey?.fill(0);
    this.#blocks.length = 0;
  }

  #explainKey(key: string): string {
    if (this.block !== undefined && DEVICE_LINES.has(key)) return `${key} has to stand before the first public_key`;
    if (this.block === undefined && PEER_LINES.has(key)) return `${key} has to stand after a public_key`;
    return 'an unknown key';
  }
}

const readPublicKey: LineReader = (parser, bytes, start, end) => {
  const key = readHexKey(bytes, start, end);
  if (key === undefined) return 'not a key of 64 hexadecimal digits';
  parser.startBlock(key);
  return undefined;
};

const DEVICE_LINES: ReadonlyMap<string, LineReader> = new Map([
  [
    'private_key',
    secretLine(({ device }, key) => {
      device.privateKey?.fill(0);
      clampUnlessZero(key);
      device.privateKey = key;
    }),
  ],
  [
    'listen_port',
    numberLine(MAX_U16, ({ device }, port) => {
      device.listenPort = port;
    }),
  ],
  [
    'fwmark',
    numberLine(MAX_U32, ({ device }, mark) => {
      device.fwmark = mark;
    }),
  ],
  [
    'replace_peers',
    flagLine(({ device }) => {
      device.replacePeers = true;
    }),
  ],
  ['public_key', readPublicKey],
]);

const PEER_LINES: ReadonlyMap<string, LineReader> = new Map([
  ['public_key', readPublicKey],
  [
    'remove',
    flagLine(({ block }) => {
      block!.isRemoval = true;
    }),
  ],
  [
    'update_only',
    flagLine(({ block }) => {
      block!.isUpdateOnly = true;
    }),
  ],
  [
    'preshared_key',
    secretLine(({ block }, key) => {
      block!.presharedKey?.fill(0);
      block!.presharedKey = key;
    }),
  ],
  [
    'endpoint',
    valueLine('not an address with a port', parseEndpoint, ({ block }, endpoint) => {
      block!.endpoint = endpoint;
    }),
  ],
  [
    'persistent_keepalive_interval',
    numberLine(MAX_U16, ({ block }, seconds) => {
      block!.persistentKeepaliveSeconds = seconds;
    }),
  ],
  [
    'replace_allowed_ips',
    flagLine(({ block }) => {
      block!.replaceAllowedIps = true;
      block!.allowedIps.length = 0;
    }),
  ],
  [
    'allowed_ip',
    valueLine('not an address with a prefix length', parseAllowedIp, ({ block }, change) => {
      block!.allowedIps.push(change);
    }),
  ],
  [
    'protocol_version',
    valueLine(
      'not 1, the only version',
      (text) => (text === '1' ? 1 : undefined),
      () => {},
    ),
  ],
]);

function parseAllowedIp(text: string): AllowedIpChange | undefined {
  const isRemoval = text.startsWith('-');
  const prefix = parseIpPrefix(isRemoval ? text.slice(1) : text);
  return prefix && { ...prefix, isRemoval };
}

function secretLine(take: (parser: SetParser, key: Uint8Array) => void): LineReader {
  return (parser, bytes, start, end) => {
    const key = readHexKey(bytes, start, end);
    if (key === undefined) return 'not a key of 64 hexadecimal digits';
    take(parser, key);
    return undefined;
  };
}

function numberLine(max: number, take: (parser: SetParser, value: number) => void): LineReader {
  return valueLine(
    `not a decimal number from 0 to ${max}`,
    (text) => (DECIMAL.test(text) && Number(text) <= max ? Number(text) : undefined),
    take,
  );
}

function flagLine(take: (parser: SetParser) => void): LineReader {
  return valueLine('not "true"', (text) => (text === 'true' ? true : undefined), take);
}

function valueLine<T>(
  refusal: string,
  parse: (text: string, zones: ZoneNames) => T | undefined,
  take: (parser: SetParser, value: T) => void,
): LineReader {
  return (parser, bytes, start, end) => {
    const value = parse(bytes.toString('latin1', start, end), parser.zones);
    if (value === undefined) return refusal;
    take(parser, value);
    return undefined;
  };
}

/** RFC 7748 §5. Zeros stay: they mean "no key". */
function clampUnlessZero(key: Uint8Array): void {
  if (key.every((byte) => byte === 0)) return;
  key[0]! &= 248;
  key[31] = (key[31]! & 127) | 64;
}
