import { language, messages } from './language.js';

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'];

/** Writes bytes with three digits, as people say them. */
export function bytes(count: number): string {
  const power = count < 1_000 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(count) / 3));
  const value = new Intl.NumberFormat(language.value, { maximumSignificantDigits: 3 }).format(count / 1_000 ** power);
  return `${value} ${UNITS[power]}`;
}

/** Writes how long ago something was, in words. */
export function ago(unixMs: number | undefined, nowUnixMs: number): string {
  const m = messages.value;
  if (unixMs === undefined) return m.never;
  const seconds = Math.max(0, Math.round((nowUnixMs - unixMs) / 1_000));
  if (seconds < 10) return m.justNow;
  if (seconds < 60) return m.ago(`${seconds}${space(m.units.second)}`);
  if (seconds < 3_600) return m.ago(`${Math.floor(seconds / 60)}${space(m.units.minute)}`);
  if (seconds < 86_400) return m.ago(`${Math.floor(seconds / 3_600)}${space(m.units.hour)}`);
  return m.ago(`${Math.floor(seconds / 86_400)}${space(m.units.day)}`);
}

export function dateTime(unixMs: number): string {
  return new Intl.DateTimeFormat(language.value, { dateStyle: 'medium', timeStyle: 'short' }).format(unixMs);
}

function space(unit: string): string {
  return unit.startsWith(' ') ? unit : ` ${unit}`;
}
