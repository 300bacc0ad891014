import * as v from 'valibot';

import type { Oidc, OidcPurpose } from '../auth/oidc.js';
import { oidcCookie } from '../auth/oidc-callback.js';
import { ApiError } from '../server-errors.js';
import { auditOf, self } from './acting.js';
import { Nothing } from './device-schemas.js';
import { type CallContext, operation } from './operation.js';

const Url = v.strictObject({ url: v.string() });

/** Signing in by an OpenID provider. Its answer comes to `/api/v1/oidc/callback`. */
export const OIDC_OPERATIONS = [
  operation({
    id: 'session.beginOidc',
    method: 'POST',
    path: '/sign-in/oidc',
    scope: 'public',
    summary:
      'Begins a sign-in by the OpenID provider: the browser goes to the URL. With the secret of an invitation it is taken.',
    input: v.strictObject({ link: v.optional(v.pipe(v.string(), v.maxLength(200))) }),
    output: Url,
    handler: ({ link }, context) => begin(context, link === undefined ? {} : { link }),
  }),
  operation({
    id: 'account.linkOidc',
    method: 'POST',
    path: '/account/oidc',
    scope: 'signed-in',
    summary: 'Begins to link an account at the OpenID provider to the caller.',
    input: Nothing,
    output: Url,
    needsStepUp: true,
    handler: async (_, context) => begin(context, { person: (await self(context)).id }),
  }),
  operation({
    id: 'account.unlinkOidc',
    method: 'DELETE',
    path: '/account/oidc',
    scope: 'signed-in',
    summary: 'Unlinks the account at the OpenID provider from the caller.',
    input: Nothing,
    output: Nothing,
    status: 204,
    needsStepUp: true,
    handler: async (_, context) => {
      const { identity, ...person } = await self(context);
      const { store } = context.parts;
      const hasOther = person.passwordHash !== undefined || (await store.passkeys(person.id)).length > 0;
      if (!hasOther)
        throw new ApiError('ERR_INPUT', 'set a password or add a passkey first: no way to sign in would be left');
      const audit = auditOf(context, 'account.unlinkOidc', person.id, { issuer: identity?.issuer });
      await store.changePeople({ putPeople: [person], audit });
      return {};
    },
  }),
];

async function begin(context: CallContext, purpose: OidcPurpose): Promise<{ url: string }> {
  const { url, state } = await oidcOf(context).begin(`${context.origin}/api/v1/oidc/callback`, purpose);
  context.setHeader('set-cookie', oidcCookie(state, context.origin.startsWith('https:')));
  return { url };
}

function oidcOf({ parts }: CallContext): Oidc {
  if (parts.oidc === undefined) throw new ApiError('ERR_UNAVAILABLE', 'no OpenID provider is set: see --oidc-issuer');
  return parts.oidc;
}
