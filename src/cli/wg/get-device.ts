import { formatIpAddress, parseIpAddress } from '../../control/ip-text.js';
import { readDeviceReply } from '../../control/reported-device.js';
import { normalizeScopedAddress } from '../../control/scoped-address.js';
import { SystemZoneNames, type ZoneNames } from '../../control/zone-names.js';
import { askDaemon, protocolFailure, toSystemFailure } from './device-access.js';
import { SystemFailure, type WgContext } from './wg-context.js';
import type { WgDevice } from './wg-device.js';

const MAX_U16 = 0xffffn;

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
 * makes no sense or an answer without its empty line is a protocol error; unknown keys are passed over.
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
  if (errno < 0 && !acceptsNegative) throw protocolFailure('its errno is negative');
  if (errno === 0) return { ...device, name, peers };
  throw new SystemFailure(Math.abs(errno), `the daemon answers with errno ${errno}`, { isDaemons: true });
}

function normalizeAllowedIp(text: string): string {
  const [, addressText = '', length] = /^([^/]*)\/([0-9]{1,20})$/.exec(text) ?? [];
  const address = parseIpAddress(addressText);
  if (address === undefined || Number(length) > 8 * address.length)
    throw protocolFailure('an allowed IP makes no sense');
  return `${formatIpAddress(address)}/${Number(length)}`;
}

/** Host names do not come from a daemon; if one does, it is shown as it is. */
function normalizeEndpoint(text: string, zones: ZoneNames): string {
  const match = /^(?:\[([^\]]*)\]|([^[].*)):([0-9]{1,20})$/.exec(text);
  if (match === null) throw protocolFailure('an endpoint makes no sense');
  const [, inBrackets, plain, port] = match;
  const said = (inBrackets ?? plain)!;
  const host = normalizeScopedAddress(said, zones) ?? said;
  return `${host.includes(':') ? `[${host}]` : host}:${BigInt(port!) & MAX_U16}`;
}

function readReported(reply: Buffer): ReturnType<typeof readDeviceReply> {
  try {
    return readDeviceReply(reply);
  } catch (error) {
    throw toSystemFailure(error);
  }
}
