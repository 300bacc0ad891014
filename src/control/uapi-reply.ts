import { WireGuardError } from '../core/errors.js';

const NEWLINE = 0x0a;
const EQUALS = 0x3d;
const NUL = 0;
const MIN_ERRNO = -(2 ** 31);
const MAX_ERRNO = 2 ** 31 - 1;

/**
 * Reads an answer of any daemon line by line, up to its empty line. The rest is ignored.
 *
 * @param onLine Receives every line but `errno`: the key, and the place of the value in `reply`.
 * @returns The `errno` as the daemon sent it: 0, or a number of either sign.
 * @throws {WireGuardError} ERR_CONTROL_REPLY for an answer that is truncated, has no `errno` or has a line without "=".
 */
export function readReply(reply: Buffer, onLine: (key: string, start: number, end: number) => void): number {
  let errno: number | undefined;
  for (let start = 0; ; ) {
    const end = reply.indexOf(NEWLINE, start);
    if (end < 0) throw invalidReply('it is cut short');
    if (end === start) break;
    if (hasNul(reply, start, end)) throw invalidReply('a line has a NUL');
    const equals = reply.indexOf(EQUALS, start);
    if (equals < 0 || equals > end) throw invalidReply('a line has no "="');

    const key = reply.toString('latin1', start, equals);
    if (key === 'errno') errno = parseErrno(reply.toString('latin1', equals + 1, end));
    else onLine(key, equals + 1, end);
    start = end + 1;
  }
  if (errno === undefined) throw invalidReply('it has no errno');
  return errno;
}

/**
 * Reads the answer to `set`.
 *
 * @returns The number as it was sent: 0, or negative from a daemon that follows wireguard-go.
 * @throws {WireGuardError} ERR_CONTROL_REPLY
 */
export function parseSetReply(reply: Buffer): number {
  return readReply(reply, () => {});
}

/** @param why The fault of the answer, never its text, which may hold secrets. */
export function invalidReply(why: string): WireGuardError {
  return new WireGuardError('ERR_CONTROL_REPLY', `the daemon's answer cannot be read: ${why}`);
}

/** @param errno The number that the daemon sent. The `cause` of the error is the system's positive number. */
export function refusal(what: string, errno: number): WireGuardError {
  const number = Math.abs(errno);
  return new WireGuardError('ERR_CONTROL_REFUSED', `the daemon ${what} with errno ${number}`, { cause: number });
}

function hasNul(reply: Buffer, start: number, end: number): boolean {
  return reply.subarray(start, end).includes(NUL);
}

function parseErrno(text: string): number {
  const errno = /^-?[0-9]+$/.test(text) ? Number(text) : Number.NaN;
  if (errno >= MIN_ERRNO && errno <= MAX_ERRNO) return errno;
  throw invalidReply('its errno makes no sense');
}
