import type { CredentialCheck } from '../server/credential-check.js';
import { valuesOf } from './header-fields.js';

/** The challenge for a client without a valid password (RFC 9110 §11.7.1; RFC 7617 §2). */
export const CHALLENGE = ['Proxy-Authenticate', 'Basic realm="wiretype", charset="UTF-8"'] as const;

const BASIC = /^basic +([A-Za-z0-9+/]*={0,2}) *$/i;

/** Tests the field `Proxy-Authorization` of a request. */
export function isAuthorized(rawFields: readonly string[], credentials: CredentialCheck | undefined): boolean {
  if (credentials === undefined) return true;
  const fields = valuesOf(rawFields, 'proxy-authorization');
  const [, encoded] = (fields.length === 1 && BASIC.exec(fields[0]!)) || [];
  if (encoded === undefined) return false;
  const pair = Buffer.from(encoded, 'base64');
  const colon = pair.indexOf(':');
  return colon >= 0 && credentials.accepts(pair.subarray(0, colon), pair.subarray(colon + 1));
}
