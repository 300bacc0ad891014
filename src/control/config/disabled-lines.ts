/** A mark in front of a line, and a space unless the line is empty. Every other program takes the line for a comment. */
const MARK = /^#-(?: |(?=\r?\n|$))/;

/** Tests whether a line belongs to a disabled peer. @param raw With its line end. */
export function isDisabledLine(raw: string): boolean {
  return MARK.test(raw);
}

/** Makes a line one of a disabled peer. */
export function disableLine(raw: string): string {
  return `#-${/^(?:\r?\n|$)/.test(raw) ? '' : ' '}${raw}`;
}

/** Gives the line back that `disableLine` was called with. */
export function enableLine(raw: string): string {
  return raw.replace(MARK, '');
}
