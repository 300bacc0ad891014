import { isIP } from 'node:net';

import { parseIpPrefix } from '../../control/ip-text.js';
import { WireGuardError } from '../../core/errors.js';
import { isTimeZone } from '../../policy/calendar.js';
import type { GatewaySettings } from '../gateway-model.js';

const MIN_MTU = 1_280;
const MAX_MTU = 9_000;
const ENDPOINT = /^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})$/;

/** @throws {WireGuardError} ERR_GATEWAY_SETTINGS */
export function checkSettings(settings: GatewaySettings): void {
  const port = Number(ENDPOINT.exec(settings.endpoint)?.[1]);
  need(port >= 1 && port <= 65_535, 'endpoint', 'HOST:PORT, as devices reach the gateway');
  need(isBetween(settings.listenPort, 1, 65_535), 'listenPort', 'a port from 1 to 65535');
  need(isSubnet(settings.subnet4, 4, 8, 30), 'subnet4', 'an IPv4 network such as 10.66.0.0/24');
  need(
    settings.subnet6 === undefined || isSubnet(settings.subnet6, 16, 8, 126),
    'subnet6',
    'an IPv6 network such as fd66::/64',
  );
  need(
    settings.dns.every((address) => isIP(address) !== 0),
    'dns',
    'addresses of resolvers',
  );
  need(isBetween(settings.mtu, MIN_MTU, MAX_MTU), 'mtu', `${MIN_MTU} to ${MAX_MTU}`);
  need(isBetween(settings.persistentKeepaliveSeconds, 0, 65_535), 'persistentKeepaliveSeconds', '0 to 65535');
  need(isTimeZone(settings.timeZone), 'timeZone', 'a name such as Europe/Berlin');
}

function need(holds: boolean, name: keyof GatewaySettings, expected: string): void {
  if (!holds) throw new WireGuardError('ERR_GATEWAY_SETTINGS', `${name}: ${expected} is expected`);
}

function isBetween(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

function isSubnet(text: string, bytes: number, least: number, most: number): boolean {
  const prefix = parseIpPrefix(text);
  return prefix?.address.length === bytes && isBetween(prefix.prefixLength, least, most);
}
