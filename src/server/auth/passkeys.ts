import { isIP } from 'node:net';
import type {
  AuthenticationResponseJSON,
  AuthenticatorTransport,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from '@simplewebauthn/server';

import type { Passkey, PeopleStore, Person } from '../../store/people-store.js';
import { ApiError } from '../server-errors.js';
import type { Pending } from './pending.js';

/** A challenge for whoever signs in: the answer names the passkey, and so the person. */
const ANYBODY = '';
const NOBODY = '-';

/** Challenges that wait for their answers, each with the id of the person that it is for, or `ANYBODY`. */
export type Challenges = Pending<string>;

/** The page that asks, as the browser and the authenticator know it. */
interface RelyingParty {
  readonly id: string;
  readonly origin: string;
}

/**
 * Returns options to make a passkey: one that the authenticator finds by itself, and that verifies its user.
 *
 * @throws {ApiError} ERR_UNAVAILABLE: the page has no name, or no TLS.
 */
export async function registrationOptions(
  person: Person,
  existing: readonly Passkey[],
  origin: string,
  challenges: Challenges,
): Promise<PublicKeyCredentialCreationOptionsJSON> {
  const { generateRegistrationOptions } = await import('@simplewebauthn/server');
  return generateRegistrationOptions({
    rpName: 'wiretype',
    rpID: relyingParty(origin).id,
    userName: person.name,
    userID: new TextEncoder().encode(person.id),
    challenge: bytesOf(challenges.add(person.id)),
    attestationType: 'none',
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    excludeCredentials: existing.map(({ id }) => ({ id })),
  });
}

/** Takes a new passkey of a person. @throws {ApiError} ERR_INPUT: it is not the answer to a challenge of ours. */
export async function newPasskey(
  person: Person,
  name: string,
  response: unknown,
  { origin, challenges, nowUnixMs }: { origin: string; challenges: Challenges; nowUnixMs: number },
): Promise<Passkey> {
  const { verifyRegistrationResponse } = await import('@simplewebauthn/server');
  const party = relyingParty(origin);
  const verified = await verifyRegistrationResponse({
    response: response as RegistrationResponseJSON,
    expectedChallenge: (challenge) => challenges.take(challenge) === person.id,
    expectedOrigin: party.origin,
    expectedRPID: party.id,
  }).catch(() => undefined);
  const credential = verified?.registrationInfo?.credential;
  if (verified?.verified !== true || credential === undefined)
    throw new ApiError('ERR_INPUT', 'response: the passkey does not fit; try again');
  return {
    id: credential.id,
    person: person.id,
    name,
    publicKey: Buffer.from(credential.publicKey).toString('base64url'),
    counter: credential.counter,
    transports: credential.transports ?? [],
    createdAtUnixMs: nowUnixMs,
  };
}

/** Returns options to prove an identity by a passkey. @param person Absent: whoever has a passkey. */
export async function requestOptions(
  origin: string,
  challenges: Challenges,
  person: string = ANYBODY,
): Promise<PublicKeyCredentialRequestOptionsJSON> {
  const { generateAuthenticationOptions } = await import('@simplewebauthn/server');
  return generateAuthenticationOptions({
    rpID: relyingParty(origin).id,
    challenge: bytesOf(challenges.add(person)),
    userVerification: 'required',
  });
}

/** Finds the person that an answer proves. @returns `undefined`: it proves nobody. */
export async function provedPerson(
  response: unknown,
  { origin, challenges, store, nowUnixMs }: Proving,
): Promise<Person | undefined> {
  const { verifyAuthenticationResponse } = await import('@simplewebauthn/server');
  const answer = response as AuthenticationResponseJSON;
  const passkey = typeof answer.id === 'string' ? await store.passkey(answer.id) : undefined;
  if (passkey === undefined) return undefined;
  const party = relyingParty(origin);
  const verified = await verifyAuthenticationResponse({
    response: answer,
    expectedChallenge: (challenge) => [ANYBODY, passkey.person].includes(challenges.take(challenge) ?? NOBODY),
    expectedOrigin: party.origin,
    expectedRPID: party.id,
    credential: {
      id: passkey.id,
      publicKey: bytesOf(passkey.publicKey),
      counter: passkey.counter,
      transports: [...passkey.transports] as AuthenticatorTransport[],
    },
  }).catch(() => undefined);
  if (verified?.verified !== true) return undefined;
  if (!(await store.passkeyUsed(passkey.id, verified.authenticationInfo.newCounter, nowUnixMs))) return undefined;
  const person = await store.person(passkey.person);
  return person?.isDisabled === false ? person : undefined;
}

interface Proving {
  readonly origin: string;
  readonly challenges: Challenges;
  readonly store: Pick<PeopleStore, 'passkey' | 'passkeyUsed' | 'person'>;
  readonly nowUnixMs: number;
}

/** A passkey belongs to a name, and browsers offer it to secure contexts only. @throws {ApiError} ERR_UNAVAILABLE */
function relyingParty(origin: string): RelyingParty {
  const { hostname, protocol } = new URL(origin);
  const isNamed = hostname !== '' && !hostname.startsWith('[') && isIP(hostname) === 0;
  if (!isNamed || (protocol !== 'https:' && hostname !== 'localhost'))
    throw new ApiError('ERR_UNAVAILABLE', 'passkeys need a page with a name and TLS, or http://localhost');
  return { id: hostname, origin };
}

function bytesOf(base64url: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(base64url, 'base64url'));
}
