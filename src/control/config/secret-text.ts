const HIDDEN = '(hidden)';
const MAX_QUOTED = 40;

/** Everything that could be a key of 32 bytes, or most of such a key. */
const KEY_LIKE = /[A-Za-z0-9+/_-]{24,}={0,2}/g;

/** Replaces everything in a text that could be a key by `(hidden)`. */
export function hideKeys(text: string): string {
  return text.replace(KEY_LIKE, HIDDEN);
}

/** The second half of a key that was broken over two lines ends in `=` like every key; its letters are a secret. */
export function isRestOfKey(key: string, value: string): boolean {
  return (value === '' || value === '=') && /^[A-Za-z0-9+/]{6,}$/.test(key);
}

/** Quotes a user's text for a message: no secrets, nothing that moves the cursor, not too long. */
export function quote(text: string): string {
  const shown = printable(hideKeys(text));
  return `"${shown.length > MAX_QUOTED ? `${shown.slice(0, MAX_QUOTED)}…` : shown}"`;
}

/**
 * Returns a text with one column for every character: spaces for tabs, a sign for controls, for marks of direction, and
 * for bytes that are no text.
 */
export function printable(text: string): string {
  return text.replaceAll('\t', ' ').replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, '\ufffd');
}
