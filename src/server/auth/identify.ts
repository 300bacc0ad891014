import type { Caller } from '../operations/caller.js';
import { SCOPES, type Scope } from '../operations/scopes.js';
import type { ServerParts } from '../server-config.js';
import { ApiError } from '../server-errors.js';
import { SCOPES_OF } from './roles.js';
import { hashOf, isToken } from './secrets.js';

const IDLE_MS = 12 * 3_600_000;

/** Facts of a request about its sender. */
export interface RequestFacts {
  /** How it came in: `local` by the UNIX socket, `tunnel` from a device, `network` otherwise. */
  readonly way: 'local' | 'tunnel' | 'network';
  readonly address: string;
  /** Id of the device, by its tunnel. */
  readonly device?: string;
  readonly authorization?: string;
  /** Value of the sign-in's cookie. */
  readonly cookie?: string;
}

/** Finds out whose request it is. @throws {ApiError} ERR_SIGN_IN: a token that is not valid. */
export async function identify(facts: RequestFacts, parts: ServerParts): Promise<Caller> {
  const { way, address, device, authorization, cookie } = facts;
  const base = { address, ...(device === undefined ? {} : { device }) };
  if (way === 'local') return { ...base, kind: 'local', actor: 'local', scopes: new Set(SCOPES) };
  if (authorization !== undefined) return { ...base, ...(await byToken(authorization, parts)) };
  const person = cookie === undefined ? undefined : await bySignIn(cookie, parts);
  if (person !== undefined) return { ...base, ...person };
  if (device !== undefined)
    return { ...base, kind: 'device', actor: `device:${device}`, scopes: new Set<Scope>(['own']) };
  return { ...base, kind: 'nobody', actor: 'nobody', scopes: new Set() };
}

type Known = Omit<Caller, 'address' | 'device'>;

async function byToken(authorization: string, { store, nowUnixMs }: ServerParts): Promise<Known> {
  const text = /^Bearer (\S+)$/.exec(authorization)?.[1] ?? '';
  const token = isToken(text) ? await store.token(hashOf(text), nowUnixMs()) : undefined;
  if (token === undefined) throw new ApiError('ERR_SIGN_IN', 'the token is not valid, or has expired');
  void store.tokenUsed(token.id, nowUnixMs()).catch(() => {}); // a full disk does not lock programs out
  const person = token.person === undefined ? undefined : await store.person(token.person);
  if (person?.isDisabled === true) throw new ApiError('ERR_SIGN_IN', 'the person of the token is disabled');
  const allowed = person === undefined ? new Set<string>(SCOPES) : SCOPES_OF[person.role];
  return {
    kind: 'token',
    actor: `token:${token.id}`,
    scopes: new Set(SCOPES.filter((scope) => token.scopes.includes(scope) && allowed.has(scope as Scope))),
    ...(person === undefined ? {} : { person: person.id }),
    ...(token.tags === undefined ? {} : { tags: token.tags }),
  };
}

async function bySignIn(cookie: string, { store, nowUnixMs }: ServerParts): Promise<Known | undefined> {
  const idHash = hashOf(cookie);
  const nowMs = nowUnixMs();
  const signIn = await store.signIn(idHash, nowMs);
  if (signIn === undefined || nowMs - signIn.lastUsedAtUnixMs > IDLE_MS) return undefined;
  const person = await store.person(signIn.person);
  if (person === undefined || person.isDisabled) return undefined;
  void store.signInUsed(idHash, nowMs).catch(() => {});
  return {
    kind: 'person',
    actor: person.id,
    person: person.id,
    scopes: SCOPES_OF[person.role],
    signIn: idHash,
    provedAtUnixMs: signIn.provedAtUnixMs,
  };
}
