import { parseIpPrefix } from '../control/ip-text.js';
import type { AllowedIpChange, PeerChange } from '../core/configuration.js';
import type { SocketAddress } from './socket-address.js';

/** A peer in the terms of a configuration file. Absent fields are left unchanged. */
export interface PeerSettings {
  readonly endpoint?: SocketAddress;
  readonly allowedIps?: readonly string[];
  readonly presharedKey?: Uint8Array;
  readonly persistentKeepaliveSeconds?: number;
}

export function peerChange(publicKey: Uint8Array, settings: PeerSettings): PeerChange {
  const { allowedIps, endpoint, ...rest } = settings;
  return {
    publicKey,
    isRemoval: false,
    isUpdateOnly: false,
    replaceAllowedIps: allowedIps !== undefined,
    allowedIps: (allowedIps ?? []).map(allowedIp),
    ...(endpoint === undefined ? {} : { endpoint: endpoint.toEndpoint() }),
    ...rest,
  };
}

function allowedIp(text: string): AllowedIpChange {
  const prefix = parseIpPrefix(text);
  if (prefix === undefined) throw new RangeError(`${text} is no prefix`);
  return { ...prefix, isRemoval: false };
}
