import { readHexKey } from '../../control/key-hex.js';
import { normalizeInet } from './inet-text.js';
import { isZeroKey } from './key-pair.js';
import { SystemFailure } from './wg-context.js';
import type { WgDevice, WgPeer } from './wg-device.js';
import { formatScoped } from './zone-text.js';

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };
type Peer = Omit<Writable<WgPeer>, 'allowedIps'> & { allowedIps: string[] };
type Device = Omit<Writable<WgDevice>, 'peers'> & { peers: Peer[] };

const NEWLINE = 0x0a;
const EQUALS = 0x3d;
const EPROTO = 71;
const MAX_U16 = 0xffffn;
const MAX_U32 = 0xffff_ffffn;
const MAX_I64 = 2n ** 63n - 1n;
const MAX_U64 = 2n ** 64n - 1n;
const MAX_ERRNO = 0x7fff_ffffn;

/**
 * Reads the answer to `get` exactly as strictly as `wg` does: an `errno` that is not 0 or more, a value that
 * makes no sense or an answer without its empty line is a protocol error; unknown keys are passed over.
 *
 * @param acceptsNegative Takes `errno=-22` for 22, as some daemons write it.
 * @throws {SystemFailure} With the daemon's number, or EPROTO.
 */
export function parseDeviceReply(reply: Buffer, name: string, acceptsNegative: boolean): WgDevice {
  const device: Device = { name, privateKey: undefined, listenPort: 0, fwmark: 0, peers: [] };
  let errno: bigint | undefined;
  for (let start = 0; ; ) {
    const end = reply.indexOf(NEWLINE, start);
    if (end < 0) throw protocolError('the answer is cut short');
    if (end === start) break;
    const equals = reply.indexOf(EQUALS, start);
    if (equals < 0 || equals > end) throw protocolError('a line has no "="');

    const key = reply.toString('latin1', start, equals);
    if (key === 'errno') errno = parseErrno(reply.toString('latin1', equals + 1, end), acceptsNegative);
    else readLine(device, key, reply, equals + 1, end);
    start = end + 1;
  }
  if (errno === undefined) throw protocolError('the answer has no errno');
  if (errno === 0n) return device;
  throw new SystemFailure(Number(errno), `the daemon answers with errno ${errno}`, { isDaemons: true });
}

/**
 * Reads the answer to `set`.
 *
 * @returns The number as it was said: 0, or negative from a daemon that follows wireguard-go.
 * @throws {SystemFailure} EPROTO
 */
export function parseSetReply(reply: Buffer): number {
  const lines = reply.toString('latin1').split('\n');
  const end = lines.indexOf('');
  if (end < 0 || end === lines.length - 1) throw protocolError('the answer is cut short');
  if (lines.slice(0, end).some((line) => !line.includes('='))) throw protocolError('a line has no "="');

  const said = lines.slice(0, end).findLast((line) => line.startsWith('errno='));
  const errno = /^errno=(-?[0-9]{1,9})$/.exec(said ?? '')?.[1];
  if (errno === undefined) throw protocolError('the answer has no errno');
  return Number(errno);
}

function readLine(device: Device, key: string, bytes: Buffer, start: number, end: number): void {
  const text = () => bytes.toString('latin1', start, end);
  const peer = device.peers.at(-1);
  if (key === 'public_key') device.peers.push(newPeer(readKey(bytes, start, end)));
  else if (peer !== undefined) readPeerLine(peer, key, text, () => readKey(bytes, start, end));
  else if (key === 'private_key') device.privateKey = readKey(bytes, start, end);
  else if (key === 'listen_port') device.listenPort = Number(parseNumber(text(), MAX_U16));
  else if (key === 'fwmark') device.fwmark = Number(parseNumber(text(), MAX_U32));
}

function readPeerLine(peer: Peer, key: string, text: () => string, readKey: () => Uint8Array): void {
  switch (key) {
    case 'preshared_key':
      peer.presharedKey = zeroIsNone(readKey());
      break;
    case 'endpoint':
      peer.endpoint = parseReplyEndpoint(text());
      break;
    case 'persistent_keepalive_interval':
      peer.persistentKeepaliveSeconds = Number(parseNumber(text(), MAX_U16));
      break;
    case 'allowed_ip':
      peer.allowedIps.push(parseAllowedIp(text()));
      break;
    case 'last_handshake_time_sec':
      peer.lastHandshakeSeconds = parseNumber(text(), MAX_I64);
      break;
    case 'last_handshake_time_nsec':
      peer.lastHandshakeNanoseconds = parseNumber(text(), MAX_I64);
      break;
    case 'rx_bytes':
      peer.rxBytes = parseNumber(text(), MAX_U64);
      break;
    case 'tx_bytes':
      peer.txBytes = parseNumber(text(), MAX_U64);
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

function readKey(bytes: Buffer, start: number, end: number): Uint8Array {
  const key = readHexKey(bytes, start, end);
  if (key === undefined) throw protocolError('a key makes no sense');
  return key;
}

function zeroIsNone(key: Uint8Array): Uint8Array | undefined {
  return isZeroKey(key) ? undefined : key;
}

function parseNumber(text: string, max: bigint): bigint {
  const number = /^[0-9]{1,40}$/.test(text) ? BigInt(text) : -1n;
  if (number < 0n || number > max) throw protocolError('a number makes no sense');
  return number;
}

function parseErrno(text: string, acceptsNegative: boolean): bigint {
  return parseNumber(acceptsNegative && text.startsWith('-') ? text.slice(1) : text, MAX_ERRNO);
}

function parseAllowedIp(text: string): string {
  const [, address = '', length = ''] = /^([^/]*)\/([0-9]{1,20})$/.exec(text) ?? [];
  const normal = normalizeInet(address);
  const max = address.includes(':') ? 128 : 32;
  if (normal === undefined || Number(length) > max) throw protocolError('an allowed IP makes no sense');
  return `${normal}/${Number(length)}`;
}

/** Host names do not come from a daemon; if one does, it is shown as it is. */
function parseReplyEndpoint(text: string): string {
  const match = /^(?:\[([^\]]*)\]|([^[].*)):([0-9]{1,20})$/.exec(text);
  if (match === null) throw protocolError('an endpoint makes no sense');
  const [, inBrackets, plain, port] = match;
  const host = formatScoped((inBrackets ?? plain)!);
  return `${host.includes(':') ? `[${host}]` : host}:${BigInt(port!) & MAX_U16}`;
}

function protocolError(why: string): SystemFailure {
  return new SystemFailure(EPROTO, why);
}
