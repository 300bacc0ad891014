import type { Person, SignIn } from '../../store/people-store.js';
import type { CallContext } from '../operations/operation.js';
import { ApiError } from '../server-errors.js';
import { cookieFor } from './cookies.js';
import { hashOf, newSignInId } from './secrets.js';

const ABSOLUTE_MS = 30 * 86_400_000;
/** How long a proof of identity stays fresh. */
export const STEP_UP_MS = 300_000;

/** Begins a sign-in: a new id each time, so that an id that somebody planted is worth nothing. */
export function newSignIn(person: Person, method: SignIn['method'], context: CallContext): SignIn {
  const nowMs = context.parts.nowUnixMs();
  const id = newSignInId();
  context.parts.attempts.succeeded(context.caller.address, person.name);
  context.setHeader('set-cookie', cookieFor(id, context.origin.startsWith('https:')));
  return {
    idHash: hashOf(id),
    person: person.id,
    method,
    createdAtUnixMs: nowMs,
    lastUsedAtUnixMs: nowMs,
    expiresAtUnixMs: nowMs + ABSOLUTE_MS,
    provedAtUnixMs: nowMs,
    address: context.caller.address,
    userAgent: context.userAgent.slice(0, 200),
  };
}

/**
 * Runs an attempt to prove an identity, slowed down by those that failed before.
 *
 * Failures are forgotten by `newSignIn` only: a right password without its one-time code forgets none.
 *
 * @throws {ApiError} ERR_ATTEMPTS: wait first. ERR_SIGN_IN: it failed; a line for fail2ban is logged.
 */
export async function attempt<T>(
  account: string,
  { parts, caller }: CallContext,
  prove: () => Promise<T | undefined>,
): Promise<T> {
  const { attempts, log } = parts;
  const wait = attempts.waitSeconds(caller.address, account);
  if (wait > 0) throw new ApiError('ERR_ATTEMPTS', `too many failed attempts: try again in ${wait} s`);
  const proved = await prove();
  if (proved !== undefined) return proved;
  attempts.failed(caller.address, account);
  log(`sign-in failed from ${caller.address}`);
  throw new ApiError('ERR_SIGN_IN', 'name or password is wrong');
}
