import * as v from 'valibot';

import { WireGuardError } from '../../core/errors.js';
import type {} from '../mesh-errors.js';

const PREFIX = 'wiretype-invite:';
const MAX_TEXT = 4_096;
const Key = v.pipe(v.string(), v.regex(/^[A-Za-z0-9+/]{43}=$/));
const Short = v.pipe(v.string(), v.maxLength(300));

const Fields = v.strictObject({
  v: v.literal(1),
  /** Id of the invitation. */
  i: Short,
  /** Name of the network. */
  n: Short,
  /** The hub's WireGuard key. */
  h: Key,
  /** `HOST:PORT` of the hub. */
  e: Short,
  /** URL of the carrier. */
  w: v.optional(v.pipe(v.string(), v.maxLength(300), v.regex(/^wss?:\/\/[^\s]+$/))),
  /** The hub's address in the network. */
  a: Short,
  /** The address of the invitation, in the lobby. */
  l: Short,
  /** Private key of the invitation. */
  k: Key,
  /** The network's signing key. */
  s: Key,
  /** Id of the network. */
  g: v.pipe(v.string(), v.regex(/^[A-Za-z0-9+/]{22}==$/)),
  /** Expiry, seconds since 1970. */
  x: v.pipe(v.number(), v.safeInteger()),
});

/** Everything that a host needs to become a node. Whoever has it can: it is a secret. */
export interface InvitationText {
  readonly id: string;
  readonly network: string;
  /** 16 bytes, base64. */
  readonly networkId: string;
  readonly hubKey: string;
  readonly hubEndpoint: string;
  /** `ws://` or `wss://` URL of the hub's carrier. Absent: UDP only. */
  readonly carrierUrl?: string;
  readonly hubAddress: string;
  readonly lobbyAddress: string;
  readonly privateKey: string;
  readonly signingKey: string;
  readonly expiresAtUnixMs: number;
}

export function formatInvitation(invitation: InvitationText): string {
  const fields: v.InferInput<typeof Fields> = {
    v: 1,
    i: invitation.id,
    n: invitation.network,
    h: invitation.hubKey,
    e: invitation.hubEndpoint,
    ...(invitation.carrierUrl === undefined ? {} : { w: invitation.carrierUrl }),
    a: invitation.hubAddress,
    l: invitation.lobbyAddress,
    k: invitation.privateKey,
    s: invitation.signingKey,
    g: invitation.networkId,
    x: Math.floor(invitation.expiresAtUnixMs / 1_000),
  };
  return PREFIX + Buffer.from(JSON.stringify(fields)).toString('base64url');
}

/** @throws {WireGuardError} ERR_INVITATION. The message never repeats the text. */
export function parseInvitation(text: string): InvitationText {
  const trimmed = text.trim();
  if (!trimmed.startsWith(PREFIX)) throw invalid(`an invitation begins with ${PREFIX}`);
  if (trimmed.length > MAX_TEXT) throw invalid('the invitation is too long');
  const result = v.safeParse(Fields, readJson(trimmed.slice(PREFIX.length)));
  if (!result.success) throw invalid('the invitation is incomplete: it may have been cut off when it was copied');
  const { i, n, h, e, w, a, l, k, s, g, x } = result.output;
  return {
    id: i,
    network: n,
    networkId: g,
    hubKey: h,
    hubEndpoint: e,
    ...(w === undefined ? {} : { carrierUrl: w }),
    hubAddress: a,
    lobbyAddress: l,
    privateKey: k,
    signingKey: s,
    expiresAtUnixMs: x * 1_000,
  };
}

function readJson(base64url: string): unknown {
  try {
    return JSON.parse(Buffer.from(base64url, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}

function invalid(message: string): WireGuardError {
  return new WireGuardError('ERR_INVITATION', message);
}
