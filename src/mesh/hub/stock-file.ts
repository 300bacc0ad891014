import { parseIpPrefix } from '../../control/ip-text.js';
import type { GatewaySettings } from '../../gateway/gateway-model.js';
import type { NodeDevice } from './node-devices.js';

export interface StockFileParts {
  readonly device: NodeDevice;
  readonly settings: GatewaySettings;
  /** The hub's, base64. */
  readonly hubKey: string;
  readonly hubAddresses: readonly string[];
  /** The nodes that it talks to end to end. */
  readonly peers: readonly NodeDevice[];
  /** All its traffic goes out by the hub. */
  readonly isHubExit?: boolean;
  /** Base64. Absent: the line is left for whoever has the key. */
  readonly privateKey?: string;
}

/**
 * Writes the file of a stock node: the hub's address is the endpoint of every peer, so that the hub relays what it cannot read.
 * Nodes that the file does not name are reached through the hub as through any gateway, which can read that.
 */
export function stockFile({
  device,
  settings,
  hubKey,
  hubAddresses,
  peers,
  isHubExit,
  privateKey,
}: StockFileParts): string {
  const { endpoint, mtu, subnet4, subnet6, persistentKeepaliveSeconds } = settings;
  const own = subnet6 === undefined ? [subnet4] : [subnet4, subnet6];
  const lines = [
    '[Interface]',
    `PrivateKey = ${privateKey ?? ''}`,
    ...listenPort(device),
    `Address = ${device.addresses.map(hostRange).join(', ')}`,
    `DNS = ${hubAddresses.join(', ')}`,
    `MTU = ${mtu}`,
    '',
    '# the hub',
    '[Peer]',
    `PublicKey = ${hubKey}`,
    ...(device.presharedKey === undefined ? [] : [`PresharedKey = ${device.presharedKey}`]),
    `AllowedIPs = ${(isHubExit === true ? ['0.0.0.0/0', '::/0'] : own).join(', ')}`,
    `Endpoint = ${endpoint}`,
    `PersistentKeepalive = ${persistentKeepaliveSeconds === 0 ? 25 : persistentKeepaliveSeconds}`,
    ...peers.flatMap((peer) => peerSection(peer, endpoint)),
  ];
  return `${lines.join('\n')}\n`;
}

/** The section of a file of wg-quick that makes a node known, with a blank line before it. @param endpoint The hub's. */
export function peerSection({ name, publicKey, addresses, node }: NodeDevice, endpoint: string): string[] {
  const routes = node.routes.filter((route) => parseIpPrefix(route)!.prefixLength > 0);
  return [
    '',
    `# ${name}`,
    '[Peer]',
    `PublicKey = ${publicKey}`,
    `AllowedIPs = ${[...addresses.map(hostRange), ...routes].join(', ')}`,
    `Endpoint = ${node.endpoint ?? endpoint}`,
  ];
}

/** A node with a public endpoint has to listen there: others send to it first. */
function listenPort({ node }: NodeDevice): string[] {
  return node.endpoint === undefined ? [] : [`ListenPort = ${node.endpoint.slice(node.endpoint.lastIndexOf(':') + 1)}`];
}

function hostRange(address: string): string {
  return `${address}/${address.includes(':') ? 128 : 32}`;
}
