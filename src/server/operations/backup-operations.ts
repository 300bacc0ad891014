import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';

import { checkBackupFile } from '../../store/sqlite-store.js';
import { ApiError } from '../server-errors.js';
import { auditOf } from './acting.js';
import { Nothing } from './device-schemas.js';
import { type CallContext, operation } from './operation.js';

const MAX_BYTES = 256 * 1024 ** 2;

/** Copies of the state: written, downloaded, and restored. */
export const BACKUP_OPERATIONS = [
  operation({
    id: 'backup.make',
    method: 'POST',
    path: '/backup',
    scope: 'backup:read',
    summary: "Writes a copy of the state to a new file of the gateway's host. For whoever owns the UNIX socket.",
    input: v.strictObject({ path: v.pipe(v.string(), v.startsWith('/')) }),
    output: Nothing,
    status: 204,
    handler: async ({ path }, { parts, caller }) => {
      if (caller.kind !== 'local') throw new ApiError('ERR_SCOPE', 'files of the host are written for its owner only');
      await parts.store.backup(path);
      return {};
    },
  }),
  operation({
    id: 'backup.download',
    method: 'POST',
    path: '/backup/download',
    scope: 'backup:read',
    summary:
      'Returns a copy of the state, in base64. It has preshared keys and the hashes of passwords, and no private key.',
    input: Nothing,
    output: v.strictObject({ name: v.string(), data: v.string() }),
    needsStepUp: true,
    handler: async (_, context) => {
      const { store, nowUnixMs } = context.parts;
      const path = join(folderOf(context), `download-${randomBytes(6).toString('hex')}.db`);
      try {
        await store.backup(path);
        await store.changePeople({ audit: auditOf(context, 'backup.download', 'state') });
        const day = new Date(nowUnixMs()).toISOString().slice(0, 10);
        return { name: `wiretype-gateway-${day}.db`, data: readFileSync(path, 'base64') };
      } finally {
        rmSync(path, { force: true });
      }
    },
  }),
  operation({
    id: 'backup.restore',
    method: 'POST',
    path: '/backup/restore',
    scope: 'backup:read',
    summary:
      'Checks a whole backup, keeps the state until now aside, and starts the gateway again with it. For owners.',
    input: v.strictObject({ data: v.pipe(v.string(), v.regex(/^[A-Za-z0-9+/]+={0,2}$/)) }),
    output: v.strictObject({ takesEffect: v.literal('now') }),
    needsStepUp: true,
    maxBodyBytes: MAX_BYTES,
    handler: async ({ data }, context) => {
      const { restore, store } = context.parts;
      await refuseAllButOwners(context);
      if (restore === undefined) throw new ApiError('ERR_UNAVAILABLE', 'this gateway is not restored by HTTP');
      const path = join(folderOf(context), `upload-${randomBytes(6).toString('hex')}.db`);
      writeFileSync(path, Buffer.from(data, 'base64'), { mode: 0o600, flag: 'wx' });
      try {
        await checkBackupFile(path);
        await store.changePeople({ audit: auditOf(context, 'backup.restore', 'state') });
      } catch (error) {
        rmSync(path, { force: true });
        throw error;
      }
      restore(path);
      return { takesEffect: 'now' as const };
    },
  }),
];

function folderOf({ parts }: CallContext): string {
  if (parts.folder === undefined) throw new ApiError('ERR_UNAVAILABLE', 'this gateway has no folder for backups');
  return parts.folder;
}

/** A backup has other owners, so that only an owner may bring one. @throws {ApiError} ERR_SCOPE */
async function refuseAllButOwners({ caller, parts }: CallContext): Promise<void> {
  if (caller.kind === 'local') return;
  const person = caller.kind === 'person' ? await parts.store.person(caller.person ?? '') : undefined;
  if (person?.role !== 'owner') throw new ApiError('ERR_SCOPE', 'only an owner restores a backup');
}
