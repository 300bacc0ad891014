import * as v from 'valibot';

import type { Person, Role } from '../../store/people-store.js';
import { mayManage } from '../auth/roles.js';
import { hashOf, newLinkSecret, newToken } from '../auth/secrets.js';
import { newRecoveryCodes, newTotp, stepOf } from '../auth/totp.js';
import { ApiError } from '../server-errors.js';
import { ById, Id, Name, Nothing } from './device-schemas.js';
import { type CallContext, operation } from './operation.js';
import { SCOPES } from './scopes.js';

const RoleName = v.picklist(['owner', 'admin', 'operator', 'viewer', 'member']);
const INVITATION_MS = 86_400_000;
const TOKEN_MS = 90 * 86_400_000;

const PersonBody = v.strictObject({
  id: Id,
  name: v.string(),
  role: RoleName,
  isDisabled: v.boolean(),
  hasTotp: v.boolean(),
  createdAtUnixMs: v.number(),
  lastSignInAtUnixMs: v.optional(v.number()),
});

const TokenBody = v.strictObject({
  id: Id,
  name: v.string(),
  scopes: v.array(v.string()),
  tags: v.optional(v.array(v.string())),
  createdAtUnixMs: v.number(),
  expiresAtUnixMs: v.optional(v.number()),
  lastUsedAtUnixMs: v.optional(v.number()),
});

const Link = v.strictObject({ link: v.string(), expiresAtUnixMs: v.number() });

/** People, and how they and their programs prove their identity. */
export const PEOPLE_OPERATIONS = [
  operation({
    id: 'person.list',
    method: 'GET',
    path: '/people',
    scope: 'people:read',
    summary: 'Lists the people who can sign in.',
    input: Nothing,
    output: v.strictObject({ people: v.array(PersonBody) }),
    handler: async (_, { parts }) => {
      const people = await parts.store.people();
      return { people: await Promise.all(people.map((person) => withLastSignIn(person, parts))) };
    },
  }),
  operation({
    id: 'person.change',
    method: 'PATCH',
    path: '/people/:id',
    scope: 'people:write',
    summary: 'Changes the role of a person, or disables the person: sign-ins and tokens end with it.',
    input: v.strictObject({ id: Id, role: v.optional(RoleName), isDisabled: v.optional(v.boolean()) }),
    output: PersonBody,
    needsStepUp: true,
    handler: async ({ id, role, isDisabled }, context) => {
      const person = await manageable(id, context);
      if (role !== undefined) await refuseAbove(role, context);
      const changed = { ...person, role: role ?? person.role, isDisabled: isDisabled ?? person.isDisabled };
      await keepAnOwner(changed, context);
      const tokens = changed.isDisabled
        ? (await context.parts.store.tokens()).filter((token) => token.person === id)
        : [];
      await context.parts.store.changePeople({
        putPeople: [changed],
        ...(changed.isDisabled ? { signOutPeople: [id], removeTokens: tokens.map((token) => token.id) } : {}),
        audit: audit(context, 'person.change', id, { role, isDisabled }),
      });
      return personBody(changed);
    },
  }),
  operation({
    id: 'person.remove',
    method: 'DELETE',
    path: '/people/:id',
    scope: 'people:write',
    summary: 'Removes a person, with sign-ins and tokens.',
    input: ById,
    output: Nothing,
    status: 204,
    needsStepUp: true,
    handler: async ({ id }, context) => {
      const person = await manageable(id, context);
      await keepAnOwner({ ...person, isDisabled: true }, context);
      await context.parts.store.changePeople({ removePeople: [id], audit: audit(context, 'person.remove', id) });
      return {};
    },
  }),
  operation({
    id: 'invitation.make',
    method: 'POST',
    path: '/invitations',
    scope: 'people:write',
    summary: 'Makes a link that works once, for a new person.',
    input: v.strictObject({ role: RoleName }),
    output: Link,
    status: 201,
    needsStepUp: true,
    example: { input: { role: 'viewer' } },
    handler: async ({ role }, context) => {
      await refuseAbove(role, context);
      return makeLink({ purpose: 'invitation', role }, context, 'invitation.make');
    },
  }),
  operation({
    id: 'person.recover',
    method: 'POST',
    path: '/people/:id/recovery',
    scope: 'people:write',
    summary: 'Makes a link that works once, by which a person sets a new password.',
    input: ById,
    output: Link,
    status: 201,
    needsStepUp: true,
    handler: async ({ id }, context) => {
      await manageable(id, context);
      return makeLink({ purpose: 'recovery', person: id }, context, 'person.recover');
    },
  }),
  operation({
    id: 'token.list',
    method: 'GET',
    path: '/tokens',
    scope: 'tokens:write',
    summary: 'Lists the tokens for programs.',
    input: Nothing,
    output: v.strictObject({ tokens: v.array(TokenBody) }),
    handler: async (_, { parts }) => ({
      tokens: (await parts.store.tokens()).map(({ hash: _hash, person: _person, scopes, tags, ...token }) => ({
        ...token,
        scopes: [...scopes],
        ...(tags === undefined ? {} : { tags: [...tags] }),
      })),
    }),
  }),
  operation({
    id: 'token.make',
    method: 'POST',
    path: '/tokens',
    scope: 'tokens:write',
    summary: 'Makes a token for programs, which is shown this once.',
    input: v.strictObject({
      name: Name,
      scopes: v.pipe(v.array(v.picklist(SCOPES)), v.minLength(1)),
      tags: v.optional(v.array(v.string())),
      expiresAtUnixMs: v.optional(v.nullable(v.number())),
    }),
    output: v.strictObject({ id: Id, token: v.string() }),
    status: 201,
    needsStepUp: true,
    example: { input: { name: 'backup', scopes: ['devices:read'] } },
    handler: async ({ name, scopes, tags, expiresAtUnixMs }, context) => {
      const { caller, parts } = context;
      const above = scopes.find((scope) => !caller.scopes.has(scope));
      if (above !== undefined) throw new ApiError('ERR_SCOPE', `${above} is not yours to give`);
      const { id, token } = newToken();
      const nowMs = parts.nowUnixMs();
      const expires = expiresAtUnixMs === undefined ? nowMs + TOKEN_MS : expiresAtUnixMs;
      const entry = {
        id,
        hash: hashOf(token),
        name,
        scopes,
        createdAtUnixMs: nowMs,
        ...(caller.person === undefined ? {} : { person: caller.person }),
        ...(tags === undefined ? {} : { tags }),
        ...(expires === null ? {} : { expiresAtUnixMs: expires }),
      };
      await parts.store.changePeople({ putTokens: [entry], audit: audit(context, 'token.make', id, { name, scopes }) });
      return { id, token };
    },
  }),
  operation({
    id: 'token.remove',
    method: 'DELETE',
    path: '/tokens/:id',
    scope: 'tokens:write',
    summary: 'Ends a token at once.',
    input: ById,
    output: Nothing,
    status: 204,
    handler: async ({ id }, context) => {
      await context.parts.store.changePeople({ removeTokens: [id], audit: audit(context, 'token.remove', id) });
      return {};
    },
  }),
  operation({
    id: 'account.beginTotp',
    method: 'POST',
    path: '/account/totp',
    scope: 'signed-in',
    summary: 'Makes a secret for one-time codes, which holds once a code of it has been given.',
    input: Nothing,
    output: v.strictObject({ secret: v.string(), uri: v.string() }),
    needsStepUp: true,
    handler: async (_, context) => newTotp((await self(context)).name),
  }),
  operation({
    id: 'account.confirmTotp',
    method: 'POST',
    path: '/account/totp/confirm',
    scope: 'signed-in',
    summary: 'Turns one-time codes on, and returns recovery codes, which are shown this once.',
    input: v.strictObject({ secret: v.pipe(v.string(), v.regex(/^[A-Z2-7]{32}$/)), code: v.string() }),
    output: v.strictObject({ recoveryCodes: v.array(v.string()) }),
    needsStepUp: true,
    handler: async ({ secret, code }, context) => {
      const person = await self(context);
      const step = stepOf(secret, code, context.parts.nowUnixMs());
      if (step === undefined) throw new ApiError('ERR_INPUT', 'code: it does not fit; check the clock of the phone');
      const { codes, hashes } = newRecoveryCodes();
      const changed = { ...person, totp: { secret, lastStep: step }, recoveryCodeHashes: hashes };
      await context.parts.store.changePeople({
        putPeople: [changed],
        audit: audit(context, 'account.confirmTotp', person.id),
      });
      return { recoveryCodes: codes };
    },
  }),
  operation({
    id: 'account.removeTotp',
    method: 'DELETE',
    path: '/account/totp',
    scope: 'signed-in',
    summary: 'Turns one-time codes off.',
    input: Nothing,
    output: Nothing,
    status: 204,
    needsStepUp: true,
    handler: async (_, context) => {
      const { totp: _totp, ...person } = await self(context);
      await context.parts.store.changePeople({
        putPeople: [{ ...person, recoveryCodeHashes: [] }],
        audit: audit(context, 'account.removeTotp', person.id),
      });
      return {};
    },
  }),
];

function personBody({ id, name, role, isDisabled, totp, createdAtUnixMs }: Person) {
  return {
    id,
    name,
    role,
    isDisabled,
    hasTotp: totp !== undefined,
    createdAtUnixMs,
  };
}

/** The last sign-in is read from the sign-ins that still hold. */
async function withLastSignIn(person: Person, { store }: CallContext['parts']) {
  const last = Math.max(0, ...(await store.signIns(person.id)).map(({ createdAtUnixMs }) => createdAtUnixMs));
  return { ...personBody(person), ...(last === 0 ? {} : { lastSignInAtUnixMs: last }) };
}

function audit({ caller, parts }: CallContext, operationId: string, object: string, details: object = {}) {
  const shown = Object.fromEntries(Object.entries(details).filter(([, value]) => value !== undefined));
  return { atUnixMs: parts.nowUnixMs(), actor: caller.actor, operation: operationId, object, details: shown };
}

/** @throws {ApiError} ERR_SIGN_IN */
async function self({ caller, parts }: CallContext): Promise<Person> {
  const person = caller.person === undefined ? undefined : await parts.store.person(caller.person);
  if (person === undefined) throw new ApiError('ERR_SIGN_IN', 'only a person who is signed in has an account');
  return person;
}

/** The role of whoever calls: the owner of the UNIX socket counts as an owner. */
async function roleOf(context: CallContext): Promise<Role> {
  return context.caller.kind === 'local' ? 'owner' : (await self(context)).role;
}

async function manageable(id: string, context: CallContext): Promise<Person> {
  const person = await context.parts.store.person(id);
  if (person === undefined) throw new ApiError('ERR_NOT_FOUND', 'there is no such person');
  if (!mayManage(await roleOf(context), person.role))
    throw new ApiError('ERR_SCOPE', 'the role of the person is not below yours');
  return person;
}

async function refuseAbove(role: Role, context: CallContext): Promise<void> {
  if (!mayManage(await roleOf(context), role)) throw new ApiError('ERR_SCOPE', `the role ${role} is not yours to give`);
}

/** @throws {ApiError} ERR_TAKEN: nobody would be left that can do everything. */
async function keepAnOwner(changed: Person, { parts }: CallContext): Promise<void> {
  const others = (await parts.store.people()).filter(({ id }) => id !== changed.id);
  const isOwner = ({ role, isDisabled }: Person): boolean => role === 'owner' && !isDisabled;
  if (!isOwner(changed) && !others.some(isOwner)) throw new ApiError('ERR_TAKEN', 'the last owner stays');
}

async function makeLink(
  kind: { purpose: 'invitation'; role: Role } | { purpose: 'recovery'; person: string },
  context: CallContext,
  operationId: string,
) {
  const { parts, caller } = context;
  const link = newLinkSecret();
  const nowMs = parts.nowUnixMs();
  const expiresAtUnixMs = nowMs + INVITATION_MS;
  const entry = { ...kind, hash: hashOf(link), createdBy: caller.actor, createdAtUnixMs: nowMs, expiresAtUnixMs };
  await parts.store.changePeople({ putLinks: [entry], audit: audit(context, operationId, kind.purpose) });
  return { link, expiresAtUnixMs };
}
