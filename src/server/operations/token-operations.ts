import * as v from 'valibot';

import { hashOf, newToken } from '../auth/secrets.js';
import { ApiError } from '../server-errors.js';
import { auditOf } from './acting.js';
import { ById, Id, Name, Nothing } from './device-schemas.js';
import { operation } from './operation.js';
import { SCOPES } from './scopes.js';

const TOKEN_MS = 90 * 86_400_000;

const TokenBody = v.strictObject({
  id: Id,
  name: v.string(),
  scopes: v.array(v.string()),
  tags: v.optional(v.array(v.string())),
  createdAtUnixMs: v.number(),
  expiresAtUnixMs: v.optional(v.number()),
  lastUsedAtUnixMs: v.optional(v.number()),
});

/** Tokens for programs. */
export const TOKEN_OPERATIONS = [
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
      await parts.store.changePeople({
        putTokens: [entry],
        audit: auditOf(context, 'token.make', id, { name, scopes }),
      });
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
      await context.parts.store.changePeople({ removeTokens: [id], audit: auditOf(context, 'token.remove', id) });
      return {};
    },
  }),
];
