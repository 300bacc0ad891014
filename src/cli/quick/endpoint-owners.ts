import type { ConfigDocument, PeerSection } from '../../control/config/index.js';
import type { PeerState } from '../../control/device-control.js';
import { type NameOptions, resolveName } from '../../control/endpoint-names.js';
import { formatEndpoint } from '../../control/endpoint-text.js';
import { formatIpAddress } from '../../control/ip-text.js';
import { formatKey } from '../../control/key-text.js';
import { SystemZoneNames } from '../../control/zone-names.js';
import type { DeviceChange } from '../../core/configuration.js';
import { WireGuardError } from '../../core/errors.js';
import { type Endpoint, remoteEquals } from '../../wire/endpoint.js';
import { hasName } from './reresolve.js';

interface OwnedEndpoint {
  readonly endpoint: Endpoint;
  /** The name in the file does not resolve to this address: a person or a script chose the address. */
  isChosen: boolean;
}

/**
 * Distinguishes endpoints that came from names in a file from endpoints that a person or a script has set.
 *
 * The last setting counts: a peer that was sent to an obfuscator or to another server stays there until it roams, or
 * until a reload makes the file count again.
 */
export class EndpointOwners {
  /** The last endpoint that the control socket set for a peer, by public key. */
  readonly #set = new Map<string, OwnedEndpoint>();

  /** Records the endpoints of a change that came over the control socket. */
  note({ replacePeers, peers }: DeviceChange): void {
    if (replacePeers) this.#set.clear();
    for (const { publicKey, isRemoval, endpoint } of peers) {
      if (isRemoval) this.#set.delete(formatKey(publicKey));
      else if (endpoint !== undefined) this.#set.set(formatKey(publicKey), { endpoint, isChosen: false });
    }
  }

  /**
   * Finds out which recorded endpoints came from a name: those that `up` or `reload` looked up, and those that the
   * name still resolves to.
   *
   * @param lookedUp Endpoints that `up` and `reload` have found for names, by public key.
   */
  async settle(
    document: ConfigDocument,
    lookedUp: Readonly<Record<string, string>>,
    names: NameOptions,
  ): Promise<void> {
    const zones = new SystemZoneNames();
    for (const section of document.peers.filter(hasName)) {
      const owned = this.#set.get(section.publicKeyText);
      if (owned === undefined) continue;
      const isFromFile = lookedUp[section.publicKeyText] === formatEndpoint(owned.endpoint, zones);
      const isFromName = isFromFile || (owned.isChosen ? false : await hasAddress(section, owned.endpoint, names));
      if (isFromName) this.#set.delete(section.publicKeyText);
      else if (isFromName === false) owned.isChosen = true;
    }
  }

  /** Tests whether the peer still has the endpoint that a person or a script has set. */
  isChosen(publicKey: string, { endpoint }: PeerState): boolean {
    const owned = this.#set.get(publicKey);
    return owned !== undefined && endpoint !== undefined && remoteEquals(owned.endpoint.words, 0, endpoint.words, 0);
  }
}

/** Tests whether the name of the section resolves to this address. @returns `undefined` if the lookup fails. */
async function hasAddress(
  { endpoint: named }: PeerSection,
  endpoint: Endpoint,
  names: NameOptions,
): Promise<boolean | undefined> {
  try {
    const addresses = await resolveName(named!.host, { ...names, retries: 0, warn: () => {} });
    const address = formatIpAddress(endpoint.address);
    return endpoint.port === named!.port && addresses.some((candidate) => candidate.address === address);
  } catch (error) {
    if (!(error instanceof WireGuardError) || error.code !== 'ERR_NAME_RESOLUTION') throw error;
    return undefined;
  }
}
