import type { IpPrefix } from '../core/configuration.js';
import type { DeviceState, PeerState } from './device-control.js';
import { readDeviceReply } from './device-reply.js';
import { parseEndpoint } from './endpoint-text.js';
import { parseIpPrefix } from './ip-text.js';
import type { ReportedDevice, ReportedPeer } from './reported-device.js';
import { invalidReply, refusal } from './uapi-reply.js';
import type { ZoneNames } from './zone-names.js';

const KEY_BYTES = 32;
const NANOSECONDS_PER_MS = 1_000_000;

/**
 * Reads the answer of any userspace WireGuard to `get`.
 *
 * @returns A copy of the device's state. The caller clears its secret keys, and `reply`.
 * @throws {WireGuardError} ERR_CONTROL_REPLY for a truncated or malformed answer,
 *   ERR_CONTROL_REFUSED for an `errno` other than 0.
 */
export function parseGet(reply: Buffer, zones: ZoneNames): DeviceState {
  const { device, errno } = readDeviceReply(reply);
  if (errno !== 0) throw refusal('answers', errno);
  return toDeviceState(device, zones);
}

/** Turns texts of addresses into addresses. The keys are shared. @throws {WireGuardError} ERR_CONTROL_REPLY */
export function toDeviceState(device: ReportedDevice, zones: ZoneNames): DeviceState {
  const { privateKey, listenPort, fwmark, peers } = device;
  return { privateKey, listenPort, fwmark, peers: peers.map((peer) => toPeerState(peer, zones)) };
}

function toPeerState(peer: ReportedPeer, zones: ZoneNames): PeerState {
  const { lastHandshakeSeconds, lastHandshakeNanoseconds, endpoint } = peer;
  return {
    publicKey: peer.publicKey,
    presharedKey: peer.presharedKey ?? new Uint8Array(KEY_BYTES),
    // An endpoint that cannot be read here, such as one with a zone of another namespace, counts as absent.
    endpoint: endpoint === undefined ? undefined : parseEndpoint(endpoint, zones),
    persistentKeepaliveSeconds: peer.persistentKeepaliveSeconds,
    rxBytes: Number(peer.rxBytes),
    txBytes: Number(peer.txBytes),
    lastHandshakeUnixMs: Number(lastHandshakeSeconds) * 1_000 + Number(lastHandshakeNanoseconds) / NANOSECONDS_PER_MS,
    allowedIps: peer.allowedIps.map(toPrefix),
  };
}

function toPrefix(text: string): IpPrefix {
  const prefix = parseIpPrefix(text);
  if (prefix === undefined) throw invalidReply('allowed_ip makes no sense');
  return prefix;
}
