/** A mark in front of a line, and a space unless the line is empty. Every other program takes the line for a comment. */
const MARK = /^#-(?: |(?=\r?\n|$))/;

/** Tests whether a line belongs to a disabled peer. @param raw The line, its line end included. */
export function isDisabledLine(raw: string): boolean {
  return MARK.test(raw);
}

/** Makes a line part of a disabled peer. */
export function disableLine(raw: string): string {
  return `#-${/^(?:\r?\n|$)/.test(raw) ? '' : ' '}${raw}`;
}

/** Returns the line that `disableLine` was called with. */
export function enableLine(raw: string): string {
  return raw.replace(MARK, '');
}
