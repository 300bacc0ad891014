import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import * as v from 'valibot';

import { formatIpAddress } from '../../control/ip-text.js';
import { parseKey } from '../../control/key-text.js';
import { WireGuardError } from '../../core/errors.js';
import { generateKeyPair } from '../../crypto/key-pair.js';
import type { GatewayDevice, GatewayState } from '../../gateway/gateway-model.js';
import type { Transaction } from '../../gateway/gateway-service.js';
import type { Invitation } from '../../gateway/mesh-model.js';
import { newDevice } from '../../gateway/service/device-changes.js';
import type {} from '../mesh-errors.js';
import { enrolmentSignedBytes, fromBase64, keySignedBytes } from '../records/node-record.js';
import { isSignedBy } from '../records/signing.js';

const Key = v.pipe(v.string(), v.regex(/^[A-Za-z0-9+/]{43}=$/));
const Signature = v.pipe(v.string(), v.regex(/^[A-Za-z0-9+/]{86}==$/));
const LOBBY_BYTES = 8;
const ID_BYTES = 6;

/** The request by which a host becomes a node. */
export const EnrolmentRequest = v.strictObject({
  /** The host makes it: 12 hexadecimal digits. */
  id: v.pipe(v.string(), v.regex(/^[0-9a-f]{12}$/)),
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
  publicKey: Key,
  identityKey: Key,
  /** The identity's signature of invitation, name and WireGuard key. */
  identityProof: Signature,
  /** HMAC-SHA256 of the same bytes, with the key that WireGuard key and hub share: the host has the private key. */
  keyProof: Key,
  /** The identity's signature of the WireGuard key, for its record. */
  keySignature: Signature,
});
export type EnrolmentRequest = v.InferOutput<typeof EnrolmentRequest>;

export interface NewInvitation {
  readonly name?: string;
  readonly tags?: readonly string[];
  readonly owner?: string;
  readonly ephemeralMinutes?: number;
  readonly uses?: number;
  readonly expiresAtUnixMs: number;
}

/** Makes an invitation. @returns It, and its private key, which is nowhere else. */
export function makeInvitation(
  given: NewInvitation,
  { networkId, createdBy, nowUnixMs }: { networkId: string; createdBy: string; nowUnixMs: number },
): { readonly invitation: Invitation; readonly privateKey: Uint8Array } {
  if ((given.uses ?? 1) > 1 && given.ephemeralMinutes === undefined)
    throw new WireGuardError('ERR_VALUE', 'an invitation for several hosts needs --ephemeral: it is easily passed on');
  const { publicKey, privateKey } = generateKeyPair();
  const { name, tags = [], owner, ephemeralMinutes, uses = 1, expiresAtUnixMs } = given;
  const invitation: Invitation = {
    id: randomBytes(ID_BYTES).toString('hex'),
    publicKey: Buffer.from(publicKey).toString('base64'),
    address: lobbyAddress(networkId),
    tags,
    usesLeft: uses,
    createdAtUnixMs: nowUnixMs,
    createdBy,
    expiresAtUnixMs,
    used: [],
    ...(name === undefined ? {} : { name }),
    ...(owner === undefined ? {} : { owner }),
    ...(ephemeralMinutes === undefined ? {} : { ephemeralMinutes }),
  };
  return { invitation, privateKey };
}

export interface EnrolmentFacts {
  readonly request: EnrolmentRequest;
  readonly invitationId: string;
  readonly networkId: string;
  readonly nowUnixMs: number;
  /** The key that the hub and a WireGuard key share. */
  readonly sharedKey: (publicKey: Uint8Array) => Uint8Array | undefined;
}

/**
 * Makes a node of a host that has an invitation: to be run where nothing else changes the state meanwhile.
 *
 * A host that asks again with the same keys, since the answer was lost on the way, is the node that it is already.
 *
 * @throws {WireGuardError} ERR_INVITATION: it is unknown, used up (with when and by whom), or expired. ERR_ENROLMENT: a proof is
 *   wrong.
 */
export function enrol(state: GatewayState, facts: EnrolmentFacts): Transaction<GatewayDevice> {
  const { request, invitationId, networkId, nowUnixMs } = facts;
  const before = enrolledBefore(state, facts);
  if (before !== undefined) {
    checkProofs(facts);
    return { plan: { devices: [] }, operation: 'node.enrol.again', object: before.id, result: before };
  }
  const invitation = usable(state, invitationId, nowUnixMs);
  checkProofs(facts);
  const name = freeName(invitation.name ?? request.name, state.devices);
  if (state.devices.some(({ id }) => id === request.id))
    throw new WireGuardError('ERR_ENROLMENT', 'a node with this id is there already');
  const { tags, owner, ephemeralMinutes } = invitation;
  const added = newDevice(
    { name, publicKey: request.publicKey, tags, ...(owner === undefined ? {} : { owner }) },
    state.settings,
    state.devices,
    nowUnixMs,
  );
  const device: GatewayDevice = {
    ...added,
    id: request.id,
    node: {
      identityKey: request.identityKey,
      keySeq: 1,
      keySignature: request.keySignature,
      routes: [],
      offeredRoutes: [],
      invitation: invitation.id,
      ...(ephemeralMinutes === undefined ? {} : { ephemeralMinutes }),
    },
  };
  const used = [...invitation.used, { node: device.id, name, atUnixMs: nowUnixMs }];
  const putInvitations = [{ ...invitation, usesLeft: invitation.usesLeft - 1, used }];
  const details = { name, networkId, invitation: invitation.id, publicKey: request.publicKey };
  return {
    plan: { devices: [device], putInvitations },
    operation: 'node.enrol',
    object: device.id,
    details,
    result: device,
  };
}

/** Finds the node that the same request has made. */
function enrolledBefore(
  { invitations, devices }: GatewayState,
  { request, invitationId }: EnrolmentFacts,
): GatewayDevice | undefined {
  const used = invitations.find(({ id }) => id === invitationId)?.used ?? [];
  const device = devices.find(({ id }) => id === request.id);
  if (device === undefined || !used.some(({ node }) => node === request.id)) return undefined;
  const isSame = device.publicKey === request.publicKey && device.node?.identityKey === request.identityKey;
  return isSame && device.deletedAtUnixMs === undefined ? device : undefined;
}

function usable({ invitations }: GatewayState, id: string, nowUnixMs: number): Invitation {
  const invitation = invitations.find((each) => each.id === id);
  if (invitation === undefined) throw new WireGuardError('ERR_INVITATION', 'the invitation was withdrawn');
  if (invitation.expiresAtUnixMs <= nowUnixMs)
    throw new WireGuardError('ERR_INVITATION', `the invitation expired at ${timeText(invitation.expiresAtUnixMs)}`);
  const last = invitation.used.at(-1);
  if (invitation.usesLeft <= 0 && last !== undefined)
    throw new WireGuardError(
      'ERR_INVITATION',
      `the invitation was used at ${timeText(last.atUnixMs)} by ${last.name}: if that was not you, remove ${last.name}`,
    );
  return invitation;
}

function checkProofs({ request, invitationId, networkId, sharedKey }: EnrolmentFacts): void {
  const { id, name, publicKey, identityKey, identityProof, keyProof, keySignature } = request;
  const network = fromBase64(networkId);
  const identity = fromBase64(identityKey);
  const proved = enrolmentSignedBytes(network, invitationId, name, publicKey);
  const isIdentity =
    isSignedBy(identity, proved, fromBase64(identityProof)) &&
    isSignedBy(identity, keySignedBytes(network, id, publicKey, 1), fromBase64(keySignature));
  if (!isIdentity) throw new WireGuardError('ERR_ENROLMENT', 'the proof of the identity key is wrong');
  const key = sharedKey(parseKey(publicKey, 'public key'));
  const isKey = key !== undefined && timingSafeEqual(keyProofOf(key, proved), fromBase64(keyProof));
  if (!isKey) throw new WireGuardError('ERR_ENROLMENT', 'the proof of the WireGuard key is wrong');
}

/** @param sharedKey The key of probes between host and hub. @returns 32 bytes. */
export function keyProofOf(sharedKey: Uint8Array, proved: Uint8Array): Uint8Array {
  return createHmac('sha256', sharedKey).update(proved).digest();
}

/** A name that is taken gets a number: a host that is set up anew joins again as `laptop-2`. */
function freeName(wanted: string, devices: readonly GatewayDevice[]): string {
  const taken = new Set(
    devices.filter(({ deletedAtUnixMs }) => deletedAtUnixMs === undefined).map(({ name }) => name.toLowerCase()),
  );
  if (!taken.has(wanted.toLowerCase())) return wanted;
  for (let number = 2; ; number++) if (!taken.has(`${wanted}-${number}`.toLowerCase())) return `${wanted}-${number}`;
}

/** An address in the lobby: a prefix of unique local addresses made of the network's id (RFC 4193), and 64 random bits. */
function lobbyAddress(networkId: string): string {
  const network = fromBase64(networkId);
  const prefix = Uint8Array.of(0xfd, ...network.subarray(0, 5), 0xff, 0xff);
  return formatIpAddress(Uint8Array.of(...prefix, ...randomBytes(LOBBY_BYTES)));
}

function timeText(unixMs: number): string {
  return `${new Date(unixMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
