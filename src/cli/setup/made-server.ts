import { basename } from 'node:path';
import { formatJson } from '../json-text.js';

import { hostOf, isPrivateAddress } from './make-client.js';
import type { ChosenForwarding } from './server-forwarding.js';

/** A server that was made, with the choices that the user left open. */
export interface MadeServer {
  /** The target as later commands take it: an interface or a file. */
  readonly target: string;
  readonly path: string;
  readonly publicKey: string;
  readonly addresses: readonly string[];
  readonly listenPort: number;
  /** `undefined`: this host has no address that clients could reach. */
  readonly endpoint: string | undefined;
  /** The endpoint is the host's own address, looked up anew for each client. */
  readonly isEndpointGuessed: boolean;
  readonly forwarding: ChosenForwarding;
  readonly isIsolated: boolean;
}

/** Describes a new server for users. */
export function formatMadeServer(made: MadeServer): string {
  const { target, path, publicKey, addresses, listenPort } = made;
  return `Made ${path}
  public key: ${publicKey}
  addresses:  ${addresses.join(', ')}
  port:       ${listenPort}
  endpoint:   ${endpointText(made)}
  forwarding: ${forwardingText(made)}

Next: wiretype add-peer ${target} NAME, then wiretype up ${target}
`;
}

/** Writes a new server as JSON. */
export function madeServerJson(made: MadeServer): string {
  const { path, publicKey, addresses, listenPort, endpoint, forwarding, isIsolated } = made;
  const shown = {
    interface: basename(path, '.conf'),
    file: path,
    publicKey,
    addresses,
    listenPort,
    endpoint: endpoint ?? null,
    firewall: forwarding.firewall ?? null,
    outInterface4: forwarding.out4 ?? null,
    outInterface6: forwarding.out6 ?? null,
    isIsolated,
  };
  return formatJson(shown);
}

function endpointText({ endpoint, isEndpointGuessed }: MadeServer): string {
  if (endpoint === undefined)
    return 'none: this host has no address that clients could reach; add-peer needs --endpoint';
  const isPrivate = isPrivateAddress(hostOf(endpoint));
  if (isEndpointGuessed) {
    const reach = isPrivate
      ? 'a private address: clients elsewhere need --endpoint in add-peer'
      : "this host's address";
    return `${endpoint} (${reach})`;
  }
  return isPrivate ? `${endpoint} (a private address, which clients elsewhere cannot reach)` : endpoint;
}

function forwardingText({ forwarding, isIsolated }: MadeServer): string {
  const { firewall, out4, out6 } = forwarding;
  const ways = [out4 === undefined ? '' : `IPv4 by ${out4}`, out6 === undefined ? '' : `IPv6 by ${out6}`];
  const way = ways.filter((text) => text !== '').join(', ') || 'none beyond this host';
  const by = firewall === undefined ? '' : `, rules by ${firewall}`;
  return `${way}${by}; peers ${isIsolated ? 'cannot reach each other' : 'reach each other'}`;
}
