import { randomBytes } from 'node:crypto';

import { formatIpAddress, formatIpPrefix, networkOf, parseIpAddress, parseIpPrefix } from '../../control/ip-text.js';
import { WireGuardError } from '../../core/errors.js';
import type { GatewayDevice, GatewaySettings } from '../gateway-model.js';
import { gatewayAddresses } from '../service/address-pool.js';
import { checkDevice } from '../service/device-rules.js';
import { checkSettings } from '../service/settings-rules.js';
import type { ImportedGateway, ImportedPeer } from './imported-gateway.js';
import { isWgEasy, readWgEasy } from './read-wg-easy.js';
import { readWgQuick } from './read-wg-quick.js';

const ID_BYTES = 6;
const MAX_NAME_LENGTH = 48;

/** The state that a gateway begins with, made of another server's. */
export interface GatewayToBe {
  /** 32 bytes, for the owner to clear. */
  readonly privateKey: Uint8Array;
  readonly settings: GatewaySettings;
  readonly devices: readonly GatewayDevice[];
  readonly leftOut: readonly string[];
}

/**
 * Reads `wg0.json` of wg-easy up to version 14, or a server's file of wg-quick or PiVPN.
 *
 * @param defaults Settings for all that the file does not say.
 * @throws {WireGuardError} ERR_IMPORT, ERR_CONFIG, ERR_KEY_FORMAT, ERR_GATEWAY_SETTINGS: nothing was made then.
 */
export function importGateway(
  text: string,
  fileName: string,
  defaults: GatewaySettings,
  nowUnixMs: number,
): GatewayToBe {
  const imported = isWgEasy(text) ? readWgEasy(text, fileName) : readWgQuick(text, fileName);
  return gatewayOf(imported, fileName, defaults, nowUnixMs);
}

/** Makes a gateway of another server, and clears the server's key if that fails. */
export function gatewayOf(
  imported: ImportedGateway,
  fileName: string,
  defaults: GatewaySettings,
  nowUnixMs: number,
): GatewayToBe {
  try {
    const settings = settingsOf(imported, defaults);
    checkSettings(settings);
    const devices = devicesOf(imported, settings, fileName, nowUnixMs);
    return { privateKey: imported.privateKey, settings, devices, leftOut: imported.leftOut };
  } catch (error) {
    imported.privateKey.fill(0);
    throw error;
  }
}

function settingsOf({ networks, listenPort, mtu }: ImportedGateway, defaults: GatewaySettings): GatewaySettings {
  const { subnet6: _, ...rest } = defaults;
  const ofFamily = (bytes: number) =>
    networks.map((text) => networkOf(parseIpPrefix(text)!)).find(({ address }) => address.length === bytes);
  const [subnet4, subnet6] = [ofFamily(4), ofFamily(16)];
  return {
    ...rest,
    ...(subnet4 === undefined ? {} : { subnet4: formatIpPrefix(subnet4) }),
    ...(subnet6 === undefined ? {} : { subnet6: formatIpPrefix(subnet6) }),
    ...(mtu === undefined ? {} : { mtu }),
    ...(listenPort === undefined ? {} : { listenPort, endpoint: defaults.endpoint.replace(/:\d+$/, `:${listenPort}`) }),
  };
}

function devicesOf(
  { peers }: ImportedGateway,
  settings: GatewaySettings,
  fileName: string,
  nowUnixMs: number,
): GatewayDevice[] {
  const devices: GatewayDevice[] = [];
  const own = new Set(gatewayAddresses(settings).map(({ address }) => formatIpAddress(address)));
  for (const peer of peers) {
    const device = deviceOf(peer, uniqueName(peer.name, devices), settings, nowUnixMs);
    refuseBadAddresses(device, own, fileName);
    checkDevice(device, devices);
    devices.push(device);
    for (const address of device.addresses) own.add(address);
  }
  return devices;
}

function deviceOf(peer: ImportedPeer, name: string, settings: GatewaySettings, nowUnixMs: number): GatewayDevice {
  const { publicKey, presharedKey, addresses, isBlocked, expiresAtUnixMs, createdAtUnixMs = nowUnixMs } = peer;
  return {
    id: randomBytes(ID_BYTES).toString('hex'),
    name,
    publicKey,
    ...(presharedKey === undefined ? {} : { presharedKey }),
    addresses: addresses.flatMap((text) => parseIpAddress(text) ?? []).map((address) => formatIpAddress(address)),
    tags: [],
    note: '',
    switches: settings.defaultSwitches,
    limits: {},
    isBlocked,
    ...(expiresAtUnixMs === undefined ? {} : { expiresAtUnixMs }),
    createdAtUnixMs,
  };
}

/** @throws {WireGuardError} ERR_IMPORT */
function refuseBadAddresses({ name, addresses }: GatewayDevice, taken: ReadonlySet<string>, fileName: string): void {
  if (addresses.length === 0) throw new WireGuardError('ERR_IMPORT', `${fileName}: ${name} has no address of its own`);
  const twice = addresses.find((address) => taken.has(address));
  if (twice !== undefined)
    throw new WireGuardError('ERR_IMPORT', `${fileName}: ${name} has the address ${twice} of another`);
}

/** Makes a name that devices may have, and that none has so far. */
function uniqueName(name: string, devices: readonly GatewayDevice[]): string {
  const plain = name
    .replace(/[^\p{L}\p{N}\p{M} ._'@()+&/-]+/gu, ' ')
    .replace(/\s+/g, ' ')
    .replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N})]+$/gu, '')
    .slice(0, MAX_NAME_LENGTH)
    .trim();
  const base = plain === '' ? 'device' : plain;
  const isTaken = (text: string) => devices.some((device) => device.name.toLowerCase() === text.toLowerCase());
  let candidate = base;
  for (let number = 2; isTaken(candidate); number++) candidate = `${base} ${number}`;
  return candidate;
}
