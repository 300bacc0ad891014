import * as v from 'valibot';

import { newPasskey, provedPerson, registrationOptions, requestOptions } from '../auth/passkeys.js';
import { attempt, newSignIn, STEP_UP_MS } from '../auth/sign-ins.js';
import { ApiError } from '../server-errors.js';
import { auditOf, self } from './acting.js';
import { Name, Nothing } from './device-schemas.js';
import { type CallContext, operation } from './operation.js';
import { SessionState, signedIn } from './session-operations.js';

const MOST_PASSKEYS = 20;
const CredentialId = v.pipe(v.string(), v.regex(/^[\w-]{1,1500}$/));
/** JSON of WebAuthn (Level 3 §5.1.8 to §5.1.10), which the browser makes and reads. */
const Json = v.record(v.string(), v.unknown());

const PasskeyBody = v.strictObject({
  id: CredentialId,
  name: v.string(),
  createdAtUnixMs: v.number(),
  lastUsedAtUnixMs: v.optional(v.number()),
});

/** Signing in by passkey, and the passkeys of whoever is signed in. */
export const PASSKEY_OPERATIONS = [
  operation({
    id: 'session.passkeyOptions',
    method: 'POST',
    path: '/sign-in/passkey/options',
    scope: 'public',
    summary: 'Makes a challenge for signing in by passkey.',
    input: Nothing,
    output: Json,
    handler: async (_, { parts, origin }) => ({ ...(await requestOptions(origin, parts.challenges)) }),
  }),
  operation({
    id: 'session.signInPasskey',
    method: 'POST',
    path: '/sign-in/passkey',
    scope: 'public',
    summary: 'Signs the person in whose passkey answers the challenge.',
    input: v.strictObject({ response: Json }),
    output: SessionState,
    handler: async ({ response }, context) => {
      const person = await attempt('passkey', context, () => provedPerson(response, provingOf(context)));
      const signIn = newSignIn(person, 'passkey', context);
      const audit = { ...auditOf(context, 'session.signInPasskey', person.id), actor: person.id };
      await context.parts.store.changePeople({ putSignIns: [signIn], audit });
      return signedIn(person, context);
    },
  }),
  operation({
    id: 'session.stepUpPasskey',
    method: 'POST',
    path: '/step-up/passkey',
    scope: 'signed-in',
    summary: 'Proves once more who the caller is, by passkey.',
    input: v.strictObject({ response: Json }),
    output: v.strictObject({ provedUntilUnixMs: v.number() }),
    handler: async ({ response }, context) => {
      const person = await self(context);
      const { caller, parts } = context;
      if (caller.signIn === undefined) throw new ApiError('ERR_SIGN_IN', 'only a person who is signed in can do this');
      await attempt(person.name, context, async () => {
        const proved = await provedPerson(response, provingOf(context));
        return proved?.id === person.id ? proved : undefined;
      });
      const signIn = newSignIn(person, 'passkey', context);
      const audit = auditOf(context, 'session.stepUpPasskey', person.id);
      await parts.store.changePeople({ endSignIns: [caller.signIn], putSignIns: [signIn], audit });
      return { provedUntilUnixMs: parts.nowUnixMs() + STEP_UP_MS };
    },
  }),
  operation({
    id: 'account.passkeys',
    method: 'GET',
    path: '/account/passkeys',
    scope: 'signed-in',
    summary: 'Lists the passkeys of the caller.',
    input: Nothing,
    output: v.strictObject({ passkeys: v.array(PasskeyBody) }),
    handler: async (_, context) => {
      const passkeys = await context.parts.store.passkeys((await self(context)).id);
      return {
        passkeys: passkeys.map(({ id, name, createdAtUnixMs, lastUsedAtUnixMs }) => ({
          id,
          name,
          createdAtUnixMs,
          ...(lastUsedAtUnixMs === undefined ? {} : { lastUsedAtUnixMs }),
        })),
      };
    },
  }),
  operation({
    id: 'account.passkeyOptions',
    method: 'POST',
    path: '/account/passkeys/options',
    scope: 'signed-in',
    summary: 'Makes a challenge for a new passkey.',
    input: Nothing,
    output: Json,
    needsStepUp: true,
    handler: async (_, context) => {
      const person = await self(context);
      const existing = await context.parts.store.passkeys(person.id);
      if (existing.length >= MOST_PASSKEYS) throw new ApiError('ERR_INPUT', `${MOST_PASSKEYS} passkeys are the most`);
      return { ...(await registrationOptions(person, existing, context.origin, context.parts.challenges)) };
    },
  }),
  operation({
    id: 'account.addPasskey',
    method: 'POST',
    path: '/account/passkeys',
    scope: 'signed-in',
    summary: 'Adds the passkey that answers the challenge.',
    input: v.strictObject({ name: Name, response: Json }),
    output: PasskeyBody,
    needsStepUp: true,
    handler: async ({ name, response }, context) => {
      const person = await self(context);
      const passkey = await newPasskey(person, name, response, provingOf(context));
      const audit = auditOf(context, 'account.addPasskey', person.id, { name });
      await context.parts.store.changePeople({ putPasskeys: [passkey], audit });
      return { id: passkey.id, name, createdAtUnixMs: passkey.createdAtUnixMs };
    },
  }),
  operation({
    id: 'account.removePasskey',
    method: 'DELETE',
    path: '/account/passkeys/:id',
    scope: 'signed-in',
    summary: 'Removes a passkey of the caller.',
    input: v.strictObject({ id: CredentialId }),
    output: Nothing,
    status: 204,
    needsStepUp: true,
    handler: async ({ id }, context) => {
      const person = await self(context);
      const passkey = await context.parts.store.passkey(id);
      if (passkey?.person !== person.id) throw new ApiError('ERR_NOT_FOUND', 'there is no such passkey');
      const audit = auditOf(context, 'account.removePasskey', person.id, { name: passkey.name });
      await context.parts.store.changePeople({ removePasskeys: [id], audit });
      return {};
    },
  }),
];

function provingOf({ parts, origin }: CallContext) {
  return { origin, challenges: parts.challenges, store: parts.store, nowUnixMs: parts.nowUnixMs() };
}
