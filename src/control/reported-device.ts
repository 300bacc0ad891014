import { readHexKey } from './key-hex.js';
import { invalidReply, readReply } from './uapi-reply.js';

/** A daemon's report about its device, with exact numbers, and addresses as the daemon writes them. */
export interface ReportedDevice {
  /** The caller clears it. */
  readonly privateKey: Uint8Array | undefined;
  /** 0: none. */
  readonly listenPort: number;
  /** 0: off. */
  readonly fwmark: number;
  /** The peers in the daemon's order. */
  readonly peers: readonly ReportedPeer[];
}

export interface ReportedPeer {
  readonly publicKey: Uint8Array;
  /** `undefined` for none. The caller clears it. */
  readonly presharedKey: Uint8Array | undefined;
  /** `1.2.3.4:51820` or `[2001:db8::1]:51820`. */
  readonly endpoint: string | undefined;
  /** `ADDRESS/LENGTH`, in the daemon's order. */
  readonly allowedIps: readonly string[];
  /** Seconds since 1970; 0: never. A faulty daemon may report up to 2^63 − 1. */
  readonly lastHandshakeSeconds: bigint;
  readonly lastHandshakeNanoseconds: bigint;
  /** Up to 2^64 − 1; greater numbers count as that. */
  readonly rxBytes: bigint;
  readonly txBytes: bigint;
  /** 0: off. */
  readonly persistentKeepaliveSeconds: number;
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };
type Peer = Omit<Writable<ReportedPeer>, 'allowedIps'> & { allowedIps: string[] };
type Device = Omit<Writable<ReportedDevice>, 'peers'> & { peers: Peer[] };

const MAX_U16 = 0xffffn;
const MAX_U32 = 0xffff_ffffn;
const MAX_I64 = 2n ** 63n - 1n;
const MAX_U64 = 2n ** 64n - 1n;
const MAX_U64_DIGITS = 20;

/**
 * Reads the answer to `get`, keys and numbers as strictly as `wg` does. The caller parses the texts of addresses.
 *
 * Unknown keys are skipped: later versions may have more. Lines of a peer before the first peer are skipped as well.
 *
 * @returns The device, whose secret keys the caller clears, and the `errno` as the daemon sent it.
 * @throws {WireGuardError} ERR_CONTROL_REPLY for a truncated or malformed answer.
 */
export function readDeviceReply(reply: Buffer): { device: ReportedDevice; errno: number } {
  const device: Device = { privateKey: undefined, listenPort: 0, fwmark: 0, peers: [] };
  const errno = readReply(reply, (key, start, end) => readLine(device, new LineValue(key, reply, start, end)));
  return { device, errno };
}

/** One line of the answer. */
class LineValue {
  readonly key: string;
  readonly #bytes: Buffer;
  readonly #start: number;
  readonly #end: number;

  constructor(key: string, bytes: Buffer, start: number, end: number) {
    this.key = key;
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
  }

  get text(): string {
    return this.#bytes.toString('latin1', this.#start, this.#end);
  }

  secret(): Uint8Array {
    const secret = readHexKey(this.#bytes, this.#start, this.#end);
    if (secret === undefined) throw invalidReply(`${this.key} makes no sense`);
    return secret;
  }

  number(max: bigint): bigint {
    const { text } = this;
    const number = /^[0-9]{1,40}$/.test(text) ? BigInt(text) : -1n;
    if (number < 0n || number > max) throw invalidReply(`${this.key} makes no sense`);
    return number;
  }

  /** Reads a number that saturates at its greatest value, as with strtoull(3). */
  counter(): bigint {
    const [, digits] = /^0*([0-9]+)$/.exec(this.text) ?? [];
    if (digits === undefined) throw invalidReply(`${this.key} makes no sense`);
    return digits.length > MAX_U64_DIGITS || BigInt(digits) > MAX_U64 ? MAX_U64 : BigInt(digits);
  }
}

function readLine(device: Device, value: LineValue): void {
  const peer = device.peers.at(-1);
  if (value.key === 'public_key') device.peers.push(newPeer(value.secret()));
  else if (peer !== undefined) readPeerLine(peer, value);
  else if (value.key === 'private_key') device.privateKey = value.secret();
  else if (value.key === 'listen_port') device.listenPort = Number(value.number(MAX_U16));
  else if (value.key === 'fwmark') device.fwmark = Number(value.number(MAX_U32));
}

function readPeerLine(peer: Peer, value: LineValue): void {
  switch (value.key) {
    case 'preshared_key':
      peer.presharedKey = zeroIsNone(value.secret());
      break;
    case 'endpoint':
      peer.endpoint = value.text;
      break;
    case 'persistent_keepalive_interval':
      peer.persistentKeepaliveSeconds = Number(value.number(MAX_U16));
      break;
    case 'allowed_ip':
      peer.allowedIps.push(value.text);
      break;
    case 'last_handshake_time_sec':
      peer.lastHandshakeSeconds = value.number(MAX_I64);
      break;
    case 'last_handshake_time_nsec':
      peer.lastHandshakeNanoseconds = value.number(MAX_I64);
      break;
    case 'rx_bytes':
      peer.rxBytes = value.counter();
      break;
    case 'tx_bytes':
      peer.txBytes = value.counter();
      break;
  }
}

function newPeer(publicKey: Uint8Array): Peer {
  return {
    publicKey,
    presharedKey: undefined,
    endpoint: undefined,
    allowedIps: [],
    lastHandshakeSeconds: 0n,
    lastHandshakeNanoseconds: 0n,
    rxBytes: 0n,
    txBytes: 0n,
    persistentKeepaliveSeconds: 0,
  };
}

function zeroIsNone(key: Uint8Array): Uint8Array | undefined {
  return key.every((byte) => byte === 0) ? undefined : key;
}
