import type { PeerSection } from '../../control/config/peer-section.js';
import { quote } from '../../control/config/secret-text.js';
import { WireGuardError } from '../../core/errors.js';

const NOTE = 'Expires';
const UNIT_MS: Readonly<Record<string, number>> = {
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
};
/** Years of five digits have another form in ISO 8601. */
const LATEST_MS = Date.UTC(9_999, 11, 30);
const DURATION = /^([1-9][0-9]{0,5})(m|h|d|w)$/;
const DATE = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/;
const TIME = /^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?:Z|[+-][0-9]{2}:[0-9]{2})?$/;

/**
 * Reads a duration (`90m`, `12h`, `30d`, `4w`), a date, which ends with its day, or a date and a time. Without a zone
 * they are local.
 *
 * @returns Milliseconds since 1970.
 * @throws {WireGuardError} ERR_VALUE for another text, and for a time that has passed.
 */
export function parseExpiry(text: string, unixTimeMs: number): number {
  const timeMs = readTime(text.trim(), unixTimeMs);
  if (timeMs === undefined || Number.isNaN(timeMs)) {
    const forms = 'a duration such as 12h or 30d, a date such as 2030-12-31, or a date and a time';
    throw new WireGuardError('ERR_VALUE', `--expires ${quote(text)}: expected ${forms}`);
  }
  if (timeMs <= unixTimeMs) throw new WireGuardError('ERR_VALUE', `--expires ${quote(text)}: that time has passed`);
  if (timeMs > LATEST_MS)
    throw new WireGuardError('ERR_VALUE', `--expires ${quote(text)}: that is after the year 9999`);
  return timeMs;
}

/**
 * Reads when a peer expires. @returns Milliseconds since 1970; `undefined`: never.
 *
 * @throws {WireGuardError} ERR_CONFIG if the note in the file is invalid: a typing error must not let a peer stay.
 */
export function expiryOf(peer: PeerSection, fileName: string): number | undefined {
  const text = peer.note(NOTE);
  if (text === undefined) return undefined;
  const timeMs = DATE.test(text) || TIME.test(text) ? readTime(text, 0) : undefined;
  if (timeMs !== undefined && !Number.isNaN(timeMs)) return timeMs;
  throw new WireGuardError(
    'ERR_CONFIG',
    `${fileName}: # ${NOTE} = ${quote(text)} is neither a date nor a date and a time`,
  );
}

/** Writes into the file when a peer expires; `undefined`: never. */
export function setExpiry(peer: PeerSection, timeMs: number | undefined): void {
  peer.setNote(NOTE, timeMs === undefined ? undefined : formatExpiry(timeMs));
}

/** Writes a time in ISO 8601, UTC, without fractions. */
export function formatExpiry(timeMs: number): string {
  return new Date(timeMs).toISOString().replace(/\.[0-9]+Z$/, 'Z');
}

function readTime(text: string, unixTimeMs: number): number | undefined {
  const [, count, unit] = DURATION.exec(text) ?? [];
  if (unit !== undefined) return unixTimeMs + Number(count) * UNIT_MS[unit]!;
  if (DATE.test(text)) return isCalendarDate(text) ? endOfDay(text) : undefined;
  return TIME.test(text) && isCalendarDate(text.slice(0, 10)) ? new Date(text.replace(' ', 'T')).getTime() : undefined;
}

function endOfDay(text: string): number {
  const [year, month, day] = text.split('-').map(Number) as [number, number, number];
  return new Date(year, month - 1, day + 1).getTime();
}

/** Tests whether a date exists: `Date` accepts 30 February. */
function isCalendarDate(text: string): boolean {
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}
