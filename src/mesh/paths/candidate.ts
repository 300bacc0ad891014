import { NO_ZONES, parseEndpoint } from '../../control/endpoint-text.js';
import { type Endpoint, endpointEquals, FAMILY_PATH, remoteEquals } from '../../wire/endpoint.js';

/** How a candidate was found. */
export type CandidateKind = 'lan' | 'ipv6' | 'mapped' | 'observed' | 'forwarded' | 'reflexive';

/** An address and port where a peer might be reached. */
export interface Candidate {
  readonly endpoint: Endpoint;
  readonly kind: CandidateKind;
}

/** Candidates that are tried of one report: the bound on what a report can aim at others (mesh.md §8). */
export const MAX_CANDIDATES = 16;

/** Reads a candidate of a message. @returns None, if its address is none. */
export function readCandidate({ address, kind }: { address: string; kind: CandidateKind }): Candidate[] {
  const endpoint = parseEndpoint(address, NO_ZONES);
  return endpoint === undefined ? [] : [{ endpoint, kind }];
}

/** Tests that probes may go to an address: unicast, with a port, and neither this host nor a link. */
export function isProbeable({ address, family, port }: Endpoint): boolean {
  if (family === FAMILY_PATH || port === 0) return false;
  if (family === 4) return address[0] !== 0 && address[0] !== 127 && address[0]! < 224 && !isLinkLocal4(address);
  const isLoopbackOrNone = address.subarray(0, 15).every((byte) => byte === 0);
  return !isLoopbackOrNone && address[0] !== 0xff && !(address[0] === 0xfe && (address[1]! & 0xc0) === 0x80);
}

/** Tests for a private address (RFC 1918, RFC 4193): such a path does not leave the site. */
export function isPrivate({ address, family }: Endpoint): boolean {
  if (family !== 4) return (address[0]! & 0xfe) === 0xfc;
  return (
    address[0] === 10 ||
    (address[0] === 172 && (address[1]! & 0xf0) === 16) ||
    (address[0] === 192 && address[1] === 168)
  );
}

export function isSameRemote(a: Endpoint, b: Endpoint): boolean {
  return remoteEquals(a.words, 0, b.words, 0);
}

export function isSameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return endpointEquals(a.words, 0, b.words, 0);
}

function isLinkLocal4(address: Uint8Array): boolean {
  return address[0] === 169 && address[1] === 254;
}
