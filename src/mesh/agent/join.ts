import { randomBytes } from 'node:crypto';
import * as v from 'valibot';

import { formatKey, parseKey } from '../../control/key-text.js';
import { WireGuardError } from '../../core/errors.js';
import { generateKeyPair } from '../../crypto/key-pair.js';
import { NodeCrypto } from '../../crypto/node-crypto.js';
import { type EnrolmentRequest, keyProofOf } from '../hub/enrolment.js';
import { HubInfo, MapEntry } from '../map/messages.js';
import { ProbeKeys } from '../probes/probe-keys.js';
import type { InvitationText } from '../records/invitation-text.js';
import { enrolmentSignedBytes, fromBase64, keySignedBytes } from '../records/node-record.js';
import { SigningKey } from '../records/signing.js';
import { urlHost } from './hub-address.js';
import { openLobby } from './lobby.js';
import type { NodeState } from './node-state.js';

const ID_BYTES = 6;
const ANSWER_MS = 10_000;
const MOST_ATTEMPTS = 3;
const RETRY_MS = 2_000;

const Answer = v.object({
  id: v.string(),
  name: v.string(),
  addresses: v.array(v.string()),
  hub: HubInfo,
  mode: v.picklist(['auto', 'locked']),
  self: v.optional(MapEntry),
});

/**
 * Makes this host a node: makes its keys, and has the hub take it in. Nothing is written; the caller keeps the state.
 *
 * @param name Used unless the invitation has one.
 * @throws {WireGuardError} ERR_INVITATION: it is used up, with when and by whom, or expired; ERR_ENROLMENT;
 *   ERR_HUB_UNREACHABLE; ERR_NAME_RESOLUTION.
 */
export async function join(invitation: InvitationText, name: string, nowUnixMs = Date.now()): Promise<NodeState> {
  const { privateKey, publicKey } = generateKeyPair();
  const identity = SigningKey.generate();
  const id = randomBytes(ID_BYTES).toString('hex');
  try {
    const request = requestOf({ invitation, name, id, privateKey, publicKey, identity });
    const { hub, mode, self, name: given, addresses } = await sendOften(invitation, request);
    if (hub.publicKey !== invitation.hubKey)
      throw new WireGuardError('ERR_ENROLMENT', 'the hub answered with another key than that of the invitation');
    return {
      version: 1,
      id,
      name: given,
      addresses,
      network: invitation.network,
      networkId: invitation.networkId,
      signingKey: invitation.signingKey,
      mode,
      hub,
      privateKey: formatKey(privateKey),
      keySeq: 1,
      keyMadeUnixMs: nowUnixMs,
      identity: identity.toPem(),
      listenPort: 0,
      routes: [],
      ...(self === undefined ? {} : { self }),
      map: { entries: [], rules: [] },
      seen: {},
    };
  } finally {
    privateKey.fill(0);
  }
}

interface RequestFacts {
  readonly invitation: InvitationText;
  readonly name: string;
  readonly id: string;
  readonly privateKey: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly identity: SigningKey;
}

function requestOf({ invitation, name, id, privateKey, publicKey, identity }: RequestFacts): EnrolmentRequest {
  const network = fromBase64(invitation.networkId);
  const key = formatKey(publicKey);
  const proved = enrolmentSignedBytes(network, invitation.id, name, key);
  const shared = new ProbeKeys(new NodeCrypto());
  shared.setPrivateKey(privateKey);
  const sharedKey = shared.keyFor(parseKey(invitation.hubKey, 'key of the hub'));
  if (sharedKey === undefined) throw new WireGuardError('ERR_INVITATION', 'the key of the hub is none');
  const keyProof = keyProofOf(sharedKey, proved);
  shared.clear();
  return {
    id,
    name,
    publicKey: key,
    identityKey: text(identity.publicKey),
    identityProof: text(identity.sign(proved)),
    keyProof: text(keyProof),
    keySignature: text(identity.sign(keySignedBytes(network, id, key, 1))),
  };
}

/** Hosts that join at once by one invitation have one key, and disturb each other: chance spreads them. */
async function sendOften(invitation: InvitationText, request: EnrolmentRequest): Promise<v.InferOutput<typeof Answer>> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await send(invitation, request);
    } catch (error) {
      const isFinal = error instanceof WireGuardError && error.code !== 'ERR_HUB_UNREACHABLE';
      if (isFinal || attempt === MOST_ATTEMPTS) throw error;
      await new Promise((resolve) => setTimeout(resolve, attempt * RETRY_MS * (0.5 + Math.random())));
    }
  }
}

async function send(invitation: InvitationText, request: EnrolmentRequest) {
  const lobby = await openLobby(invitation);
  try {
    const answer = await fetch(`http://${urlHost(invitation.hubAddress)}/api/v1/mesh/enrol`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(request),
      dispatcher: lobby.host.dispatcher,
      signal: AbortSignal.timeout(ANSWER_MS),
    } as RequestInit);
    const body: unknown = await answer.json();
    if (answer.status >= 400) throw refusal(body as { code?: string; detail?: string });
    return v.parse(Answer, body);
  } finally {
    await lobby.close();
  }
}

function refusal({ code, detail = 'the hub refused' }: { code?: string; detail?: string }): WireGuardError {
  return new WireGuardError(code === 'ERR_INVITATION' ? 'ERR_INVITATION' : 'ERR_ENROLMENT', detail);
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
