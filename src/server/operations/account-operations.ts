import * as v from 'valibot';

import { newRecoveryCodes, newTotp, stepOf } from '../auth/totp.js';
import { ApiError } from '../server-errors.js';
import { auditOf, self } from './acting.js';
import { Nothing } from './device-schemas.js';
import { operation } from './operation.js';

/** One-time codes of whoever is signed in. */
export const ACCOUNT_OPERATIONS = [
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
        audit: auditOf(context, 'account.confirmTotp', person.id),
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
        audit: auditOf(context, 'account.removeTotp', person.id),
      });
      return {};
    },
  }),
];
