import type { AllowedIpChange, DeviceChange, PeerChange } from '../core/configuration.js';
import { WireGuardError } from '../core/errors.js';
import { Endpoint } from '../wire/endpoint.js';
import { isIpv4Mapped, parseIpPrefix } from './ip-text.js';
import { parseScopedAddress } from './scoped-address.js';
import type { ChangeText, PeerChangeText } from './uapi-change-text.js';
import type { ZoneNames } from './zone-names.js';

const MAX_PORT = 65_535;
const EINVAL = 22;

/**
 * Reads the addresses in a change, as strictly as a daemon does. Both changes share the keys.
 *
 * @throws {WireGuardError} ERR_VALUE for an invalid address, or a zone that is no interface.
 */
export function toDeviceChange(change: ChangeText, zones: ZoneNames): DeviceChange {
  return { ...change, peers: change.peers.map((peer) => toPeerChange(peer, zones)) };
}

function toPeerChange({ endpoint, allowedIps, isUpdateOnly, ...peer }: PeerChangeText, zones: ZoneNames): PeerChange {
  return {
    ...peer,
    isUpdateOnly: isUpdateOnly === true,
    ...(endpoint === undefined ? {} : { endpoint: toEndpoint(endpoint, zones) }),
    allowedIps: allowedIps.map(toAllowedIp),
  };
}

function toAllowedIp(text: string): AllowedIpChange {
  const isRemoval = text.startsWith('-');
  const prefix = parseIpPrefix(isRemoval ? text.slice(1) : text);
  if (prefix === undefined) throw senseless('allowed IP', text);
  return { ...prefix, isRemoval };
}

/** Port 0 is passed on: it stands for an endpoint that nothing reaches. */
function toEndpoint(text: string, zones: ZoneNames): Endpoint {
  const [, inBrackets, plain, port] = /^(?:\[([^\]]*)\]|([^[\]:]*)):([0-9]{1,5})$/.exec(text) ?? [];
  const scoped = parseScopedAddress(inBrackets ?? plain ?? '', zones);
  if (scoped === undefined || Number(port) > MAX_PORT) throw senseless('endpoint', text);
  const { address, scopeId } = scoped;
  const isIpv4 = isIpv4Mapped(address) && scopeId === 0;
  return Endpoint.from(isIpv4 ? address.slice(12) : address, Number(port), scopeId);
}

function senseless(what: string, text: string): WireGuardError {
  return new WireGuardError('ERR_VALUE', `${what} ${JSON.stringify(text)} makes no sense here`, { cause: EINVAL });
}
