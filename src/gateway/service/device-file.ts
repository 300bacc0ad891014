import { formatIpAddress } from '../../control/ip-text.js';
import type { GatewayDevice, GatewaySettings } from '../gateway-model.js';
import { gatewayAddresses } from './address-pool.js';

export interface DeviceFileParts {
  readonly device: GatewayDevice;
  readonly settings: GatewaySettings;
  /** The gateway's, in base64. */
  readonly publicKey: string;
  /** Base64. Absent: the line is left empty, for whoever has the key. */
  readonly privateKey?: string;
}

/**
 * Writes the file of a device, for the app of WireGuard.
 *
 * All traffic goes through the tunnel, IPv6 too where the gateway has no route for it: what does not work there fails at
 * once, and nothing leaves beside the tunnel.
 */
export function deviceFile({ device, settings, publicKey, privateKey }: DeviceFileParts): string {
  const dns =
    settings.dns.length > 0 ? settings.dns : gatewayAddresses(settings).map(({ address }) => formatIpAddress(address));
  const lines = [
    '[Interface]',
    `PrivateKey = ${privateKey ?? ''}`,
    `Address = ${device.addresses.map(hostRange).join(', ')}`,
    `DNS = ${dns.join(', ')}`,
    `MTU = ${settings.mtu}`,
    '',
    '[Peer]',
    `PublicKey = ${publicKey}`,
    ...(device.presharedKey === undefined ? [] : [`PresharedKey = ${device.presharedKey}`]),
    'AllowedIPs = 0.0.0.0/0, ::/0',
    `Endpoint = ${settings.endpoint}`,
    ...(settings.persistentKeepaliveSeconds === 0
      ? []
      : [`PersistentKeepalive = ${settings.persistentKeepaliveSeconds}`]),
  ];
  return `${lines.join('\n')}\n`;
}

function hostRange(address: string): string {
  return `${address}/${address.includes(':') ? 128 : 32}`;
}
