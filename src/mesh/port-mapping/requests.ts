import { formatNatPmpAddressRequest, formatNatPmpMapRequest } from './nat-pmp.js';
import { type ExternalAddress, formatPcpMapRequest } from './pcp.js';

/** RFC 6886 §3.3 recommends the lifetime. */
const LIFETIME_SECONDS = 7_200;

/** A router is asked for a mapping by PCP, or by NAT-PMP for its address and then for a mapping. */
export type Question = 'pcp' | 'address' | 'nat-pmp';

/** The fields that are the same in all requests of a client. */
export interface RequestFields {
  /** The UDP port to which the router is to forward. */
  readonly internalPort: number;
  /** The address of this host that the router sees, 4 bytes. */
  readonly clientAddress: Uint8Array;
  /** Twelve random bytes. */
  readonly nonce: Uint8Array;
}

/** @param held The mapping that is to be renewed. Without one, the outer port is to be the same as the inner one. */
export function formatRequest(question: Question, fields: RequestFields, held?: ExternalAddress): Uint8Array {
  const { internalPort } = fields;
  if (question === 'address') return formatNatPmpAddressRequest();
  const lifetimeSeconds = LIFETIME_SECONDS;
  const suggested = held ?? { address: new Uint8Array(fields.clientAddress.length), port: internalPort };
  if (question === 'pcp') return formatPcpMapRequest({ ...fields, lifetimeSeconds, suggested });
  return formatNatPmpMapRequest({ internalPort, lifetimeSeconds, suggestedPort: suggested.port });
}

export function formatDeletion(question: Question, fields: RequestFields): Uint8Array {
  if (question === 'pcp') return formatPcpMapRequest({ ...fields, lifetimeSeconds: 0 });
  return formatNatPmpMapRequest({ internalPort: fields.internalPort, lifetimeSeconds: 0 });
}
