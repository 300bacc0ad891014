import * as v from 'valibot';

import type { Person, Role } from '../../store/people-store.js';
import { mayManage } from '../auth/roles.js';
import { hashOf, newLinkSecret } from '../auth/secrets.js';
import { ApiError } from '../server-errors.js';
import { auditOf, self } from './acting.js';
import { ById, Id, Nothing } from './device-schemas.js';
import { type CallContext, operation } from './operation.js';

const RoleName = v.picklist(['owner', 'admin', 'operator', 'viewer', 'member']);
const INVITATION_MS = 86_400_000;

const PersonBody = v.strictObject({
  id: Id,
  name: v.string(),
  role: RoleName,
  isDisabled: v.boolean(),
  hasTotp: v.boolean(),
  createdAtUnixMs: v.number(),
  lastSignInAtUnixMs: v.optional(v.number()),
});

const Link = v.strictObject({ link: v.string(), expiresAtUnixMs: v.number() });

/** The people that can sign in. */
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
        audit: auditOf(context, 'person.change', id, { role, isDisabled }),
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
      await context.parts.store.changePeople({ removePeople: [id], audit: auditOf(context, 'person.remove', id) });
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
  await parts.store.changePeople({ putLinks: [entry], audit: auditOf(context, operationId, kind.purpose) });
  return { link, expiresAtUnixMs };
}
