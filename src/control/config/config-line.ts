import { lookupKey } from './config-keys.js';

/** `stray`: none of the other kinds, which is an error. */
export type ConfigLineKind = 'blank' | 'comment' | 'header' | 'entry' | 'stray';

/** One line of a file, cut into its parts. Lines never change: an edit replaces the line. */
export interface ConfigLine {
  readonly kind: ConfigLineKind;
  /** The whole line, its line end included (the last line may have none). */
  readonly raw: string;
  /** The key of an entry, in its usual spelling if the key is known, else as written; the section's name of a header. */
  readonly key: string;
  /** The value of an entry: the text between `=` and a comment, without white space around the text. */
  readonly value: string;
  /** Index into `raw`, from 0. */
  readonly keyAt: number;
  readonly valueAt: number;
}

const WHITE_SPACE = /[ \t\r\v\f]+/g;
const LEADING_WHITE_SPACE = /^[ \t\r\v\f]*/;
const TRAILING_WHITE_SPACE = /[ \t\r\v\f]+$/;

/** Cuts one line. @param raw Text up to and including its line feed. */
export function parseLine(raw: string): ConfigLine {
  const body = raw.endsWith('\n') ? raw.slice(0, -1) : raw;
  const keyAt = LEADING_WHITE_SPACE.exec(body)![0].length;
  if (keyAt === body.length) return part('blank', raw, keyAt);
  if (body[keyAt] === '#') return part('comment', raw, keyAt);

  const hash = body.indexOf('#');
  const said = hash < 0 ? body : body.slice(0, hash);
  const equals = said.indexOf('=');
  const text = compact(said);
  if (text.startsWith('[') && text.endsWith(']')) return part('header', raw, keyAt, text.slice(1, -1));
  if (equals < 0) return part('stray', raw, keyAt, text);

  const name = said.slice(keyAt, equals).replace(TRAILING_WHITE_SPACE, '');
  const known = lookupKey(compact(name));
  const rest = (known?.keepsHash ? body : said).slice(equals + 1);
  const value = trim(rest);
  const valueAt = equals + 1 + (value === '' ? 0 : LEADING_WHITE_SPACE.exec(rest)![0].length);
  return { kind: 'entry', raw, key: known?.name ?? name, value, keyAt, valueAt };
}

/** Removes all white space, as `wg` does before it parses a line. */
export function compact(text: string): string {
  return text.replace(WHITE_SPACE, '');
}

export function trim(text: string): string {
  return text.slice(LEADING_WHITE_SPACE.exec(text)![0].length).replace(TRAILING_WHITE_SPACE, '');
}

function part(kind: ConfigLineKind, raw: string, keyAt: number, key = ''): ConfigLine {
  return { kind, raw, key, value: '', keyAt, valueAt: keyAt };
}
