import type { IpPrefix } from '../core/configuration.js';
import { WireGuardError } from '../core/errors.js';
import type { DeviceState, PeerState } from './device-control.js';
import { parseEndpoint } from './endpoint-text.js';
import { parseIpPrefix } from './ip-text.js';
import { readHexKey } from './key-hex.js';
import type { ZoneNames } from './zone-names.js';

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };
type Device = Writable<DeviceState> & { peers: Peer[] };
type Peer = Writable<PeerState> & { allowedIps: IpPrefix[] };

const NEWLINE = 0x0a;
const EQUALS = 0x3d;
const KEY_BYTES = 32;
const DECIMAL = /^[0-9]{1,16}$/;
const NANOSECONDS_PER_MS = 1_000_000;

/**
 * Reads the answer of any userspace WireGuard to `get`, from its first line to its closing empty line.
 *
 * Keys that are not known are passed over: later versions may have more.
 *
 * @returns A copy of the device's state. The caller clears its secret keys, and `reply`.
 * @throws {WireGuardError} ERR_CONTROL_REPLY for an answer that is cut short or makes no sense,
 *   ERR_CONTROL_REFUSED for an `errno` other than 0.
 */
export function parseGet(reply: Buffer, zones: ZoneNames): DeviceState {
  const parser = new GetParser(zones);
  for (let start = 0; ; ) {
    const end = reply.indexOf(NEWLINE, start);
    if (end < 0) throw invalidReply('it is cut short');
    if (end === start) return parser.finish();
    parser.readLine(reply, start, end);
    start = end + 1;
  }
}

class GetParser {
  readonly zones: ZoneNames;
  readonly device: Device = { privateKey: undefined, listenPort: 0, fwmark: 0, peers: [] };
  errno: number | undefined;

  constructor(zones: ZoneNames) {
    this.zones = zones;
  }

  /** @throws {WireGuardError} ERR_CONTROL_REPLY before the first `public_key`. */
  get peer(): Peer {
    const peer = this.device.peers[this.device.peers.length - 1];
    if (peer === undefined) throw invalidReply('a line of a peer stands before its public_key');
    return peer;
  }

  readLine(bytes: Buffer, start: number, end: number): void {
    const equals = bytes.subarray(start, end).indexOf(EQUALS);
    if (equals < 0) throw invalidReply('a line has no "="');

    const key = bytes.toString('latin1', start, start + equals);
    LINES.get(key)?.(this, new LineValue(key, bytes, start + equals + 1, end));
  }

  finish(): DeviceState {
    if (this.errno === undefined) throw invalidReply('it has no errno');
    if (this.errno !== 0)
      throw new WireGuardError('ERR_CONTROL_REFUSED', `the daemon answers with errno ${this.errno}`);
    return this.device;
  }
}

class LineValue {
  readonly #key: string;
  readonly #bytes: Buffer;
  readonly #start: number;
  readonly #end: number;

  constructor(key: string, bytes: Buffer, start: number, end: number) {
    this.#key = key;
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
  }

  get text(): string {
    return this.#bytes.toString('latin1', this.#start, this.#end);
  }

  key(): Uint8Array {
    return this.#expect(readHexKey(this.#bytes, this.#start, this.#end));
  }

  number(): number {
    return this.#expect(DECIMAL.test(this.text) ? Number(this.text) : undefined);
  }

  parsed<T>(parse: (text: string) => T | undefined): T {
    return this.#expect(parse(this.text));
  }

  #expect<T>(value: T | undefined): T {
    if (value === undefined) throw invalidReply(`${this.#key} makes no sense`);
    return value;
  }
}

const LINES: ReadonlyMap<string, (parser: GetParser, value: LineValue) => void> = new Map([
  ['private_key', ({ device }, value) => assign(device, 'privateKey', value.key())],
  ['listen_port', ({ device }, value) => assign(device, 'listenPort', value.number())],
  ['fwmark', ({ device }, value) => assign(device, 'fwmark', value.number())],
  ['public_key', ({ device }, value) => void device.peers.push(newPeer(value.key()))],
  ['preshared_key', ({ peer }, value) => assign(peer, 'presharedKey', value.key())],
  [
    'endpoint',
    ({ peer, zones }, value) =>
      assign(
        peer,
        'endpoint',
        value.parsed((text) => parseEndpoint(text, zones)),
      ),
  ],
  ['persistent_keepalive_interval', ({ peer }, value) => assign(peer, 'persistentKeepaliveSeconds', value.number())],
  ['rx_bytes', ({ peer }, value) => assign(peer, 'rxBytes', value.number())],
  ['tx_bytes', ({ peer }, value) => assign(peer, 'txBytes', value.number())],
  ['last_handshake_time_sec', ({ peer }, value) => addHandshakeTime(peer, value.number() * 1_000)],
  ['last_handshake_time_nsec', ({ peer }, value) => addHandshakeTime(peer, value.number() / NANOSECONDS_PER_MS)],
  ['allowed_ip', ({ peer }, value) => void peer.allowedIps.push(value.parsed(parseIpPrefix))],
  [
    'errno',
    (parser, value) => {
      parser.errno = value.parsed((text) => (/^-?[0-9]{1,9}$/.test(text) ? Math.abs(Number(text)) : undefined));
    },
  ],
]);

function assign<T, Key extends keyof T>(target: T, key: Key, value: T[Key]): void {
  target[key] = value;
}

function addHandshakeTime(peer: Peer, ms: number): void {
  peer.lastHandshakeUnixMs += ms;
}

function newPeer(publicKey: Uint8Array): Peer {
  return {
    publicKey,
    presharedKey: new Uint8Array(KEY_BYTES),
    endpoint: undefined,
    persistentKeepaliveSeconds: 0,
    rxBytes: 0,
    txBytes: 0,
    lastHandshakeUnixMs: 0,
    allowedIps: [],
  };
}

function invalidReply(why: string): WireGuardError {
  return new WireGuardError('ERR_CONTROL_REPLY', `the daemon's answer cannot be read: ${why}`);
}
