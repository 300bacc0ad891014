import { readHexKey } from './key-hex.js';
import {
  type DeviceDraft,
  newDeviceDraft,
  newPeerDraft,
  type PeerDraft,
  type ReportedDevice,
} from './reported-device.js';
import { invalidReply, readReply } from './uapi-reply.js';

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
  const device = newDeviceDraft();
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

function readLine(device: DeviceDraft, value: LineValue): void {
  const peer = device.peers.at(-1);
  if (value.key === 'public_key') device.peers.push(newPeerDraft(value.secret()));
  else if (peer !== undefined) readPeerLine(peer, value);
  else if (value.key === 'private_key') device.privateKey = value.secret();
  else if (value.key === 'listen_port') device.listenPort = Number(value.number(MAX_U16));
  else if (value.key === 'fwmark') device.fwmark = Number(value.number(MAX_U32));
}

function readPeerLine(peer: PeerDraft, value: LineValue): void {
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

function zeroIsNone(key: Uint8Array): Uint8Array | undefined {
  return key.every((byte) => byte === 0) ? undefined : key;
}
