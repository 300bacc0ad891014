import { readDeviceReply } from '../../control/device-reply.js';
import { formatIpAddress, parseIpAddress } from '../../control/ip-text.js';
import { normalizeScopedAddress } from '../../control/scoped-address.js';
import { parseServicePort } from '../../control/service-port.js';
import { parseUnsignedLong } from '../../control/unsigned-long.js';
import { SystemZoneNames, type ZoneNames } from '../../control/zone-names.js';
import { parseLooseIpv4 } from './c-text.js';
import { askDaemon, protocolFailure, toSystemFailure } from './device-access.js';
import { SystemFailure, type WgContext } from './wg-context.js';
import type { WgDevice } from './wg-device.js';

const MAX_U8 = 0xffn;
const LOOPBACK = Buffer.alloc(16).fill(1, 15);

/**
 * Reads a device: that of a daemon if one answers, else the kernel's.
 *
 * @returns A copy; the caller clears its secret keys.
 * @throws {SystemFailure}
 */
export async function getDevice(context: WgContext, name: string): Promise<WgDevice> {
  const reply = await askDaemon(context, name, [Buffer.from('get=1\n\n')]);
  if (reply === undefined) {
    const { askKernel } = await import('./kernel-access.js');
    return await askKernel(context, name, (kernel) => ({ ...kernel.get(name), name, isKernels: true }));
  }
  try {
    return parseDeviceReply(reply, name, !context.isStock);
  } finally {
    reply.fill(0);
  }
}

/**
 * Reads the answer to `get` exactly as strictly as `wg` does: an `errno` that is not 0 or more, a value that
 * makes no sense or an answer without its empty line is a protocol error; unknown keys are ignored.
 *
 * @param acceptsNegative Takes `errno=-22` for 22, as some daemons write it.
 * @throws {SystemFailure} With the daemon's number, or EPROTO.
 */
export function parseDeviceReply(reply: Buffer, name: string, acceptsNegative: boolean): WgDevice {
  const { device, errno } = readReported(reply);
  const zones = new SystemZoneNames();
  const peers = device.peers.map((peer) => ({
    ...peer,
    endpoint: peer.endpoint === undefined ? undefined : normalizeEndpoint(peer.endpoint, zones),
    allowedIps: peer.allowedIps.map(normalizeAllowedIp),
  }));
  if ((errno < 0 || Object.is(errno, -0)) && !acceptsNegative) throw protocolFailure('its errno is negative');
  if (errno === 0) return { ...device, name, peers };
  throw new SystemFailure(Math.abs(errno), `the daemon answers with errno ${errno}`, { isDaemons: true });
}

/** Normalizes an allowed IP, whose length is a number of 8 bits: a larger length wraps around. */
function normalizeAllowedIp(text: string): string {
  const [, addressText = '', digits = ''] = /^([^/]*)\/([0-9]+)$/.exec(text) ?? [];
  const address = parseIpAddress(addressText);
  const length = Number((parseUnsignedLong(digits) ?? MAX_U8) & MAX_U8);
  if (address === undefined || length > 8 * address.length) throw protocolFailure('an allowed IP makes no sense');
  return `${formatIpAddress(address)}/${length}`;
}

/** Normalizes an address and port as the C library reads them. Returns other text, such as a host name, unchanged. */
function normalizeEndpoint(text: string, zones: ZoneNames): string {
  const [, inBrackets, plain = '', portText = ''] = /^(?:\[([^\]]*)\]|([^[].*)):(.+)$/s.exec(text) ?? [];
  if (portText === '') throw protocolFailure('an endpoint makes no sense');
  const given = inBrackets ?? plain;
  const loose = given === '*' ? LOOPBACK : parseLooseIpv4(given);
  const host = loose === undefined ? (normalizeScopedAddress(given, zones) ?? given) : formatIpAddress(loose);
  return `${host.includes(':') ? `[${host}]` : host}:${parseServicePort(portText) ?? portText}`;
}

function readReported(reply: Buffer): ReturnType<typeof readDeviceReply> {
  try {
    return readDeviceReply(reply);
  } catch (error) {
    throw toSystemFailure(error);
  }
}
