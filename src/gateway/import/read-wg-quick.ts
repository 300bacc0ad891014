import { disabledPeers } from '../../control/config/disabled-peer.js';
import { parseConfig } from '../../control/config/index.js';
import type { PeerSection } from '../../control/config/peer-section.js';
import { formatIpAddress, formatIpPrefix } from '../../control/ip-text.js';
import { formatKey } from '../../control/key-text.js';
import { WireGuardError } from '../../core/errors.js';
import type { ImportedGateway, ImportedPeer } from './imported-gateway.js';

/** PiVPN puts `### begin NAME ###` above a section, which is read as a comment with the name. */
const PIVPN_NAME = /^begin (.+)$/;

/**
 * Reads the file of a server that wg-quick or PiVPN keeps. Peers that are commented out become blocked devices.
 *
 * @throws {WireGuardError} ERR_CONFIG, with all faults of the file. ERR_IMPORT: it is not the file of a server.
 */
export function readWgQuick(text: string, fileName: string): ImportedGateway {
  const document = parseConfig(text, fileName);
  document.assertValid();
  const section = document.interfaceSection;
  const privateKey = section?.privateKey;
  if (section === undefined || privateKey === undefined || section.addresses.length === 0)
    throw new WireGuardError('ERR_IMPORT', `${fileName}: [Interface] needs PrivateKey and Address to become a gateway`);
  const disabled = disabledPeers(document).map(({ peer }) => peer);
  const isDisabled = (peer: PeerSection): boolean =>
    disabled.some(({ publicKeyText }) => publicKeyText === peer.publicKeyText);
  const peers = [...document.peers.filter((peer) => !isDisabled(peer)), ...disabled];
  const hooks = (['PreUp', 'PostUp', 'PreDown', 'PostDown'] as const).filter((name) => section.hooks(name).length > 0);
  return {
    privateKey: privateKey.slice(),
    networks: section.addresses.map(formatIpPrefix),
    ...(section.listenPort === undefined ? {} : { listenPort: section.listenPort }),
    ...(section.mtu === undefined ? {} : { mtu: section.mtu }),
    peers: peers.map((peer) => readPeer(peer, isDisabled(peer))),
    leftOut: hooks.map((name) => `${fileName}: ${name} is not run: the gateway needs no firewall rules`),
  };
}

function readPeer(peer: PeerSection, isBlocked: boolean): ImportedPeer {
  const { presharedKey } = peer;
  return {
    name: PIVPN_NAME.exec(peer.name ?? '')?.[1] ?? peer.name ?? '',
    publicKey: peer.publicKeyText,
    // A range behind a client is a site, which a gateway has no devices for.
    addresses: peer.allowedIps
      .filter(({ address, prefixLength }) => prefixLength === 8 * address.length)
      .map(({ address }) => formatIpAddress(address)),
    isBlocked,
    ...(presharedKey === undefined ? {} : { presharedKey: formatKey(presharedKey) }),
  };
}
