import { randomBytes } from 'node:crypto';
import * as v from 'valibot';

import type { OneTimeLink, Person } from '../../store/people-store.js';
import { cookieFor } from '../auth/cookies.js';
import { SCOPES_OF } from '../auth/roles.js';
import { hashOf } from '../auth/secrets.js';
import { attempt, newSignIn, STEP_UP_MS } from '../auth/sign-ins.js';
import { isOneTimeCode } from '../auth/totp.js';
import { ApiError } from '../server-errors.js';
import { Id, Nothing } from './device-schemas.js';
import { type CallContext, operation } from './operation.js';

const PersonName = v.pipe(v.string(), v.regex(/^[\p{L}\p{N}][\p{L}\p{N} ._@+-]{0,63}$/u));
const Secret = v.pipe(v.string(), v.minLength(1), v.maxLength(200));
const Role = v.picklist(['owner', 'admin', 'operator', 'viewer', 'member']);

export const SessionState = v.strictObject({
  state: v.picklist(['set-up-needed', 'signed-out', 'signed-in', 'device', 'local']),
  person: v.optional(
    v.strictObject({ id: Id, name: v.string(), role: Role, hasTotp: v.boolean(), hasIdentity: v.boolean() }),
  ),
  device: v.optional(v.strictObject({ id: Id, name: v.string() })),
  /** An OpenID provider that people can sign in by, with its name. */
  oidc: v.optional(v.strictObject({ name: v.string() })),
  /** Whether the person may add, renew and remove own devices. */
  mayAddOwn: v.optional(v.boolean()),
  /** Whether interfaces of this host are shown. */
  hasInterfaces: v.optional(v.boolean()),
  /** The gateway is the hub of a mesh. */
  hasMesh: v.optional(v.boolean()),
  scopes: v.array(v.string()),
  nowUnixMs: v.number(),
});
export type SessionState = v.InferOutput<typeof SessionState>;

/** Signing in and out, the first start, invitations. */
export const SESSION_OPERATIONS = [
  operation({
    id: 'session.get',
    method: 'GET',
    path: '/session',
    scope: 'public',
    summary: 'Says who the caller is, and what the caller may do.',
    input: Nothing,
    output: SessionState,
    handler: async (_, context) => stateOf(context),
  }),
  operation({
    id: 'session.useLink',
    method: 'POST',
    path: '/link',
    scope: 'public',
    summary: 'Uses a one-time link: makes the first owner or an invited person, or sets a lost password.',
    input: v.strictObject({ link: Secret, name: v.optional(PersonName), password: Secret }),
    output: SessionState,
    example: { input: { link: 'AAAAAAAAAAAAAAAAAAAAAA', name: 'li', password: 'a long sentence' } },
    handler: async ({ link, name, password }, context) => {
      const { parts } = context;
      const hash = hashOf(link);
      const person = await attempt(`link ${hash}`, context, async () => {
        const found = await parts.store.link(hash, parts.nowUnixMs());
        return found === undefined || found.purpose === 'device-file' ? undefined : personFor(found, name, context);
      });
      const renewed = { ...person, passwordHash: await parts.passwords.hash(password) };
      const signIn = newSignIn(renewed, 'link', context);
      const audit = { atUnixMs: parts.nowUnixMs(), actor: person.id, operation: 'session.useLink', details: {} };
      const change = { putPeople: [renewed], signOutPeople: [person.id], putSignIns: [signIn], audit };
      if ((await parts.store.takeLink(hash, change)) === undefined)
        throw new ApiError('ERR_SIGN_IN', 'the link was used before, or has expired');
      return signedIn(renewed, context);
    },
  }),
  operation({
    id: 'session.signIn',
    method: 'POST',
    path: '/sign-in',
    scope: 'public',
    summary: 'Signs a person in by name and password, and by a one-time code where the person has one.',
    input: v.strictObject({ name: Secret, password: Secret, code: v.optional(v.pipe(v.string(), v.maxLength(40))) }),
    output: v.variant('state', [
      v.strictObject({ ...SessionState.entries, state: v.literal('signed-in') }),
      v.strictObject({ state: v.literal('code-needed') }),
    ]),
    example: { input: { name: 'li', password: 'a long sentence' } },
    handler: async ({ name, password, code }, context) => {
      const { store, passwords, nowUnixMs } = context.parts;
      const person = await attempt(name, context, async () => {
        const found = await store.personNamed(name);
        const isRight = await passwords.verify(password, found?.passwordHash);
        if (found === undefined || !isRight || found.isDisabled) return undefined;
        if (found.totp === undefined || code === undefined) return found;
        return (await isOneTimeCode(found, code, store, nowUnixMs())) ? found : undefined;
      });
      if (person.totp !== undefined && code === undefined) return { state: 'code-needed' as const };
      const signIn = newSignIn(person, 'password', context);
      await store.changePeople({
        putSignIns: [signIn],
        audit: { atUnixMs: nowUnixMs(), actor: person.id, operation: 'session.signIn', details: {} },
      });
      return { ...signedIn(person, context), state: 'signed-in' as const };
    },
  }),
  operation({
    id: 'session.signOut',
    method: 'POST',
    path: '/sign-out',
    scope: 'public',
    summary: 'Ends the sign-in of this browser.',
    input: Nothing,
    output: Nothing,
    status: 204,
    handler: async (_, { parts, caller, origin, setHeader }) => {
      setHeader('set-cookie', cookieFor('', origin.startsWith('https:')));
      if (caller.signIn === undefined) return {};
      const audit = { atUnixMs: parts.nowUnixMs(), actor: caller.actor, operation: 'session.signOut', details: {} };
      await parts.store.changePeople({ endSignIns: [caller.signIn], audit });
      return {};
    },
  }),
  operation({
    id: 'session.stepUp',
    method: 'POST',
    path: '/step-up',
    scope: 'signed-in',
    summary: 'Proves once more who the caller is, for what needs a fresh proof.',
    input: v.strictObject({ password: Secret }),
    output: v.strictObject({ provedUntilUnixMs: v.number() }),
    handler: async ({ password }, context) => {
      const { store, passwords, nowUnixMs } = context.parts;
      const person = await store.person(context.caller.person ?? '');
      if (person === undefined || context.caller.signIn === undefined)
        throw new ApiError('ERR_SIGN_IN', 'only a person who is signed in can do this');
      await attempt(person.name, context, async () =>
        (await passwords.verify(password, person.passwordHash)) ? person : undefined,
      );
      const signIn = newSignIn(person, 'password', context);
      const audit = { atUnixMs: nowUnixMs(), actor: person.id, operation: 'session.stepUp', details: {} };
      await store.changePeople({ endSignIns: [context.caller.signIn], putSignIns: [signIn], audit });
      return { provedUntilUnixMs: nowUnixMs() + STEP_UP_MS };
    },
  }),
];

async function stateOf({ parts, caller }: CallContext): Promise<SessionState> {
  const { store, gateway, nowUnixMs } = parts;
  const oidc = parts.oidc === undefined ? {} : { oidc: { name: parts.oidc.settings.name } };
  const base = {
    ...oidc,
    ...(parts.interfaces === undefined ? {} : { hasInterfaces: true }),
    ...(parts.hub === undefined ? {} : { hasMesh: true }),
    scopes: [...caller.scopes],
    nowUnixMs: nowUnixMs(),
  };
  const view = caller.device === undefined ? undefined : gateway.device(caller.device);
  const device = view === undefined ? {} : { device: { id: view.device.id, name: view.device.name } };
  const person = caller.person === undefined ? undefined : await store.person(caller.person);
  const mayAddOwn = gateway.settings.membersMayAdd === true ? { mayAddOwn: true } : {};
  if (person !== undefined) return { ...base, ...device, ...mayAddOwn, state: 'signed-in', person: shown(person) };
  if (caller.kind === 'local') return { ...base, state: 'local' };
  if (view !== undefined) return { ...base, ...device, state: 'device' };
  const isNew = (await store.people()).length === 0;
  return { ...base, state: isNew ? 'set-up-needed' : 'signed-out' };
}

/** The session of a person who has just signed in. */
export function signedIn(person: Person, { parts }: CallContext): SessionState {
  return {
    state: 'signed-in',
    person: shown(person),
    scopes: [...SCOPES_OF[person.role]],
    nowUnixMs: parts.nowUnixMs(),
  };
}

function shown({ id, name, role, totp, identity }: Person) {
  return { id, name, role, hasTotp: totp !== undefined, hasIdentity: identity !== undefined };
}

/** The person that a link is for, or the one that it makes. @throws {ApiError} ERR_INPUT, ERR_TAKEN */
async function personFor(
  link: OneTimeLink,
  name: string | undefined,
  { parts }: CallContext,
): Promise<Person | undefined> {
  if (link.person !== undefined) return parts.store.person(link.person);
  if (name === undefined) throw new ApiError('ERR_INPUT', 'name: it is missing');
  if ((await parts.store.personNamed(name)) !== undefined) throw new ApiError('ERR_TAKEN', `the name ${name} is taken`);
  return {
    id: randomBytes(6).toString('hex'),
    name,
    role: link.purpose === 'setup' ? 'owner' : (link.role ?? 'member'),
    recoveryCodeHashes: [],
    isDisabled: false,
    createdAtUnixMs: parts.nowUnixMs(),
  };
}
