import { createHash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

const SECRET_BYTES = 32;
const LINK_BYTES = 16;
const TOKEN_ID_BYTES = 6;
const CRC_DIGITS = 6;
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const TOKEN = /^wt_[0-9A-Za-z]{20,80}$/;

/** SHA-256 in hex: what is kept of a secret with 128 random bits or more. */
export function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** Makes the id of a sign-in, for its cookie. */
export function newSignInId(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}

/** Makes the secret of a one-time link, for the fragment of its URL. */
export function newLinkSecret(): string {
  return randomBytes(LINK_BYTES).toString('base64url');
}

/** Makes a token for programs: `wt_`, 256 random bits and a checksum, so that scanners for leaked secrets recognise it. */
export function newToken(): { readonly id: string; readonly token: string } {
  const body = base62(randomBytes(SECRET_BYTES));
  return { id: randomBytes(TOKEN_ID_BYTES).toString('hex'), token: `wt_${body}${checksum(body)}` };
}

/** Tests form and checksum, before anything is looked up. */
export function isToken(text: string): boolean {
  if (!TOKEN.test(text)) return false;
  const body = text.slice(3, -CRC_DIGITS);
  return checksum(body) === text.slice(-CRC_DIGITS);
}

function checksum(body: string): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(body));
  return base62(bytes).padStart(CRC_DIGITS, '0').slice(-CRC_DIGITS);
}

function base62(bytes: Uint8Array): string {
  let number = BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
  let text = '';
  for (; number > 0n; number /= 62n) text = DIGITS[Number(number % 62n)]! + text;
  return text;
}
