import { randomBytes } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';

import type { PeopleStore, Person } from '../../store/people-store.js';
import { hashOf } from './secrets.js';

const STEP_MS = 30_000;
const DIGITS = 6;
/** A phone's clock may be half a minute off. */
const WINDOW = 1;
const SECRET_BYTES = 20;
const RECOVERY_CODES = 10;
const RECOVERY_BYTES = 6;

/** Makes a secret, and the URI for the app's QR code. */
export function newTotp(person: string): { readonly secret: string; readonly uri: string } {
  const secret = new Secret({ size: SECRET_BYTES });
  return { secret: secret.base32, uri: totpOf(secret.base32, person).toString() };
}

/** Finds the time step that a code is for. @returns `undefined`: the code is wrong. */
export function stepOf(secret: string, code: string, nowUnixMs: number): number | undefined {
  const delta = totpOf(secret, '').validate({ token: code, timestamp: nowUnixMs, window: WINDOW });
  return delta === null ? undefined : Math.floor(nowUnixMs / STEP_MS) + delta;
}

/**
 * Tests a one-time code or a recovery code of a person. Each is accepted once.
 *
 * Source: RFC 6238 §5.2.
 */
export async function isOneTimeCode(
  person: Person,
  code: string,
  store: Pick<PeopleStore, 'acceptTotpStep' | 'acceptRecoveryCode'>,
  nowUnixMs: number,
): Promise<boolean> {
  const plain = code.replace(/[\s-]/g, '').toLowerCase();
  if (person.totp === undefined) return false;
  const step = plain.length === DIGITS ? stepOf(person.totp.secret, plain, nowUnixMs) : undefined;
  if (step !== undefined) return store.acceptTotpStep(person.id, step);
  return store.acceptRecoveryCode(person.id, hashOf(plain));
}

/** Makes codes for whoever has lost the phone: to be shown once, and kept as hashes. */
export function newRecoveryCodes(): { readonly codes: string[]; readonly hashes: string[] } {
  const plain = Array.from({ length: RECOVERY_CODES }, () => randomBytes(RECOVERY_BYTES).toString('hex'));
  return { codes: plain.map((code) => `${code.slice(0, 6)}-${code.slice(6)}`), hashes: plain.map(hashOf) };
}

function totpOf(secret: string, label: string): TOTP {
  return new TOTP({
    issuer: 'wiretype',
    label,
    secret: Secret.fromBase32(secret),
    digits: DIGITS,
    period: STEP_MS / 1_000,
  });
}
