import { randomBytes } from 'node:crypto';

import type { Person } from '../../store/people-store.js';
import type { CallContext } from '../operations/operation.js';
import { ApiError } from '../server-errors.js';
import type { Oidc, OidcIdentity } from './oidc.js';
import { hashOf } from './secrets.js';
import { newSignIn } from './sign-ins.js';

const COOKIE = 'wiretype-oidc';
const COOKIE_SECONDS = 300;

/** The cookie that ties a callback to the browser that began; the provider's redirection brings it, so it is `Lax`. */
export function oidcCookie(state: string, isSecure: boolean): string {
  const secure = isSecure ? '; Secure' : '';
  return `${COOKIE}=${state}; Path=/api/v1/oidc; Max-Age=${COOKIE_SECONDS}; HttpOnly; SameSite=Lax${secure}`;
}

/**
 * Ends a sign-in by the OpenID provider: signs in the person with that account, or takes an invitation, or links the account
 * to the person that asked for it. Nobody becomes owner or admin by an account alone.
 *
 * @throws {ApiError} ERR_SIGN_IN, ERR_OIDC, ERR_UNAVAILABLE
 */
export async function oidcCallback(
  query: URLSearchParams,
  cookies: string | undefined,
  context: CallContext,
): Promise<void> {
  const { oidc } = context.parts;
  if (oidc === undefined) throw new ApiError('ERR_UNAVAILABLE', 'no OpenID provider is set');
  const state = new RegExp(`(?:^|; )${COOKIE}=([\\w-]+)`).exec(cookies ?? '')?.[1];
  if (state === undefined || state !== query.get('state'))
    throw new ApiError('ERR_SIGN_IN', 'this sign-in was begun in another browser');
  const identity = await oidc.end(query);
  const person = await personOf(identity, oidc, context);
  const signIn = newSignIn(person, 'oidc', context);
  const { issuer, subject } = identity;
  const audit = {
    atUnixMs: context.parts.nowUnixMs(),
    actor: person.id,
    operation: 'session.signInOidc',
    object: person.id,
    details: { issuer },
  };
  const change = { putPeople: [{ ...person, identity: { issuer, subject } }], putSignIns: [signIn], audit };
  const { link } = identity.purpose;
  if (link === undefined) await context.parts.store.changePeople(change);
  else if ((await context.parts.store.takeLink(hashOf(link), change)) === undefined)
    throw new ApiError('ERR_SIGN_IN', 'the link was used before, or has expired');
}

async function personOf(identity: OidcIdentity, oidc: Oidc, { parts }: CallContext): Promise<Person> {
  const { store, nowUnixMs } = parts;
  const { issuer, subject, email, purpose } = identity;
  const known = await store.personOfIdentity(issuer, subject);
  if (purpose.person !== undefined) {
    const person = await store.person(purpose.person);
    if (person === undefined || person.isDisabled) throw refused();
    if (known !== undefined && known.id !== person.id)
      throw new ApiError('ERR_SIGN_IN', 'that account belongs to another person here');
    return person;
  }
  if (known !== undefined) {
    if (known.isDisabled) throw refused();
    return known;
  }
  const link = purpose.link === undefined ? undefined : await store.link(hashOf(purpose.link), nowUnixMs());
  const { role, domains } = oidc.settings;
  const isOfDomain = email !== undefined && (domains.length === 0 || domains.includes(email.split('@')[1] ?? ''));
  const ownRole =
    link?.purpose === 'invitation' ? (link.role ?? 'member') : link === undefined && isOfDomain ? role : undefined;
  if (ownRole === undefined) throw refused();
  return {
    id: randomBytes(6).toString('hex'),
    name: await freeName(email ?? `person-${subject.slice(0, 16)}`, parts),
    role: ownRole,
    recoveryCodeHashes: [],
    isDisabled: false,
    createdAtUnixMs: nowUnixMs(),
  };
}

/** Names are unique, and a person may have that of an account that is another's. */
async function freeName(wanted: string, { store }: CallContext['parts']): Promise<string> {
  const plain = wanted.replace(/[^\p{L}\p{N} ._@+-]/gu, '').slice(0, 60);
  for (let number = 1; ; number++) {
    const name = number === 1 ? plain : `${plain} ${number}`;
    if ((await store.personNamed(name)) === undefined) return name;
  }
}

function refused(): ApiError {
  return new ApiError('ERR_SIGN_IN', 'nobody here has that account: ask for an invitation');
}
