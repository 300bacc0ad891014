import type { ConfigDocument } from '../../control/config/config-document.js';
import type { PeerSection } from '../../control/config/peer-section.js';
import { formatIpAddress, formatIpPrefix, networkOf, parseIpPrefix } from '../../control/ip-text.js';
import type { IpPrefix } from '../../core/configuration.js';
import { WireGuardError } from '../../core/errors.js';
import { covers, isReserved, overlaps } from './address-range.js';
import { filePeers, peerLabel } from './file-peers.js';

/** Refuses a name that a peer of the file has, enabled or disabled. @throws {WireGuardError} ERR_PEER */
export function refuseTakenName(document: ConfigDocument, name: string): void {
  if (!filePeers(document).some(({ peer }) => peer.name === name)) return;
  throw new WireGuardError('ERR_PEER', `${document.fileName} already has a peer "${name}"`);
}

/**
 * Refuses the public key of the server, and of a peer of the file.
 *
 * @throws {WireGuardError} ERR_PEER
 */
export function refuseTakenKey(document: ConfigDocument, publicKey: string, serverPublicKey: string): void {
  const { fileName } = document;
  if (publicKey === serverPublicKey) {
    throw new WireGuardError(
      'ERR_PEER',
      `${publicKey} is the public key of this server (${fileName}), not of a client`,
    );
  }
  const owner = filePeers(document).find(({ peer }) => peer.publicKeyText === publicKey);
  if (owner === undefined) return;
  throw new WireGuardError(
    'ERR_PEER',
    `${fileName}: the peer ${peerLabel(owner.peer)} already has the key ${publicKey}`,
  );
}

/**
 * Reads the addresses that the user chose for a client. @returns The addresses with the length of a single address.
 *
 * @throws {WireGuardError} ERR_VALUE for a range, a reserved address, and an address of the server or of another peer.
 */
export function checkClientAddresses(document: ConfigDocument, texts: readonly string[]): string[] {
  const checked: IpPrefix[] = [];
  for (const text of texts) {
    const address = parseIpPrefix(text)!;
    if (address.prefixLength !== 8 * address.address.length) {
      const single = `${formatIpAddress(address.address)}/${8 * address.address.length}`;
      refuse('--address', `${text} is a network; a client has single addresses, such as ${single}`);
    }
    if (checked.some((other) => overlaps(other, address))) refuse('--address', `${text} is named twice`);
    refuseTakenAddress(document, address);
    checked.push(address);
  }
  if (checked.length === 0) refuse('--address', 'the list is empty');
  return checked.map(formatIpPrefix);
}

/**
 * Reads the networks behind a client. @returns The networks, without bits behind the prefix length.
 *
 * @throws {WireGuardError} ERR_VALUE for a network that another peer has, or in the server's own subnet.
 */
export function checkClientNetworks(document: ConfigDocument, texts: readonly string[]): string[] {
  const networks = texts.map((text) => networkOf(parseIpPrefix(text)!));
  for (const network of networks) {
    const shown = formatIpPrefix(network);
    const subnet = subnetsOf(document).find((own) => covers(own, network));
    if (subnet !== undefined) refuse('--networks', `${shown} is in the server's subnet ${formatIpPrefix(subnet)}`);
    const owner = ownerOf(document, (range) => formatIpPrefix(networkOf(range)) === shown);
    if (owner !== undefined) refuse('--networks', `${shown} belongs to the peer ${peerLabel(owner)}`);
  }
  return networks.map(formatIpPrefix);
}

function refuseTakenAddress(document: ConfigDocument, address: IpPrefix): void {
  const shown = formatIpPrefix(address);
  const own = document.interfaceSection?.addresses ?? [];
  if (own.some(({ address: bytes }) => Buffer.compare(bytes, address.address) === 0)) {
    refuse('--address', `${shown} is the server's own address`);
  }
  const subnets = subnetsOf(document);
  if (subnets.some((subnet) => isReserved(subnet, address.address))) {
    refuse('--address', `${shown} is the address of the subnet itself or its broadcast address`);
  }
  // A range as large as a subnet of the server is a route, not the address of a peer.
  const isRoute = (range: IpPrefix) => range.prefixLength === 0 || subnets.some((subnet) => covers(range, subnet));
  const owner = ownerOf(document, (range) => overlaps(range, address) && !isRoute(range));
  if (owner !== undefined) refuse('--address', `${shown} belongs to the peer ${peerLabel(owner)}`);
}

function ownerOf(document: ConfigDocument, isMeant: (range: IpPrefix) => boolean): PeerSection | undefined {
  const owner = filePeers(document).find(({ peer }) =>
    peer.allowedIps.some((range) => !range.isRemoval && isMeant(range)),
  );
  return owner?.peer;
}

function subnetsOf(document: ConfigDocument): IpPrefix[] {
  const own = document.interfaceSection?.addresses ?? [];
  return own.filter(({ address, prefixLength }) => prefixLength < 8 * address.length).map(networkOf);
}

function refuse(option: string, message: string): never {
  throw new WireGuardError('ERR_VALUE', `${option}: ${message}`);
}
