const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;
const INVISIBLE = /^[\p{Mn}\p{Me}\p{Cf}]$/u;
/** Characters that take two columns: those that are wide by UAX #11 (East Asian Width W and F), and pictures. */
const WIDE =
  /[\u1100-\u115f\u231a\u231b\u2329\u232a\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18cff}\u{1aff0}-\u{1b2fb}\u{1f200}-\u{1f265}\u{20000}-\u{3fffd}]|\ufe0f|\p{Emoji_Presentation}/u;
const ELLIPSIS = '…';

/** Returns the columns of a terminal that a text takes. The text must have no control characters. */
export function textWidth(text: string): number {
  if (PRINTABLE_ASCII.test(text)) return text.length;
  let width = 0;
  for (const character of characters(text)) width += characterWidth(character);
  return width;
}

/** Cuts a text that is wider than `width` between two visible characters, and marks the cut. */
export function cutText(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let cut = '';
  let left = width - textWidth(ELLIPSIS);
  for (const character of characters(text)) {
    left -= characterWidth(character);
    if (left < 0) break;
    cut += character;
  }
  return width > 0 ? cut + ELLIPSIS : '';
}

/** Pads a text with spaces. @param isRight Puts the spaces in front. */
export function padText(text: string, width: number, isRight = false): string {
  const spaces = ' '.repeat(Math.max(0, width - textWidth(text)));
  return isRight ? spaces + text : text + spaces;
}

/** Splits a text into characters: a letter with its accents, or a picture with its modifiers, is one character. */
function characters(text: string): Iterable<string> {
  const segments = new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(text);
  return Array.from(segments, ({ segment }) => segment);
}

function characterWidth(character: string): number {
  if (WIDE.test(character)) return 2;
  return [...character].every((codePoint) => INVISIBLE.test(codePoint)) ? 0 : 1;
}
