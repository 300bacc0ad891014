import type { AuditEntry } from '../../gateway/gateway-store.js';
import type { Person } from '../../store/people-store.js';
import { ApiError } from '../server-errors.js';
import type { CallContext } from './operation.js';

/** Makes the line of the audit log for what a caller does. */
export function auditOf(
  { caller, parts }: CallContext,
  operationId: string,
  object: string,
  details: object = {},
): AuditEntry {
  const shown = Object.fromEntries(Object.entries(details).filter(([, value]) => value !== undefined));
  return { atUnixMs: parts.nowUnixMs(), actor: caller.actor, operation: operationId, object, details: shown };
}

/** The person that calls. @throws {ApiError} ERR_SIGN_IN */
export async function self({ caller, parts }: CallContext): Promise<Person> {
  const person = caller.person === undefined ? undefined : await parts.store.person(caller.person);
  if (person === undefined) throw new ApiError('ERR_SIGN_IN', 'only a person who is signed in has an account');
  return person;
}
