import { WireGuardError } from '../../core/errors.js';
import { lookupKey } from './config-keys.js';
import { type ConfigLine, parseLine } from './config-line.js';

/**
 * One section of the file: the comment directly above its header, the header, and the lines up to the next section.
 *
 * Editing keeps every other line, the order, the indentation, the spacing around `=`, and comments
 * behind a value.
 */
export class ConfigSection {
  /** `interface` or `peer`, or another name, which is an error, in lower case. `''` for a disabled peer. */
  readonly kind: string;
  readonly #newline: string;
  #leading: readonly ConfigLine[];
  #header: ConfigLine;
  #body: ConfigLine[];

  /** @param newline The line end that new lines get. */
  constructor(leading: readonly ConfigLine[], header: ConfigLine, body: ConfigLine[], newline: string) {
    this.kind = header.key.toLowerCase();
    this.#leading = leading;
    this.#header = header;
    this.#body = body;
    this.#newline = newline;
  }

  get header(): ConfigLine {
    return this.#header;
  }

  /** Tests whether this is a peer that is kept as comments, see `disabled-peer.ts`: the header is its first line. */
  get isDisabledPeer(): boolean {
    return this.#header.kind === 'comment';
  }

  /** The comment lines directly above the header, which belong to this section and are removed with it. */
  get leading(): readonly ConfigLine[] {
    return this.#leading;
  }

  /** The lines below the header. */
  get body(): readonly ConfigLine[] {
    return this.#body;
  }

  *lines(): Iterable<ConfigLine> {
    yield* this.#leading;
    yield this.#header;
    yield* this.#body;
  }

  get text(): string {
    let text = '';
    for (const line of this.lines()) text += line.raw;
    return text;
  }

  /** Returns the lines of a key, in order. @param key Spelled as in `CONFIG_KEYS`. */
  entries(key: string): ConfigLine[] {
    return this.#body.filter((line) => line.kind === 'entry' && line.key === key);
  }

  /** Returns the last line of a key, which is the valid line of a key that is no list. */
  lastEntry(key: string): ConfigLine | undefined {
    return this.#body.findLast((line) => line.kind === 'entry' && line.key === key);
  }

  /**
   * Gives a key one value, in place of the old value or on a new line at the end. Other lines of the key are removed.
   *
   * @throws {WireGuardError} ERR_CONFIG if the key or the value would not be read back.
   */
  set(key: string, value: string): void {
    const name = this.#checked(key, value);
    const kept = this.lastEntry(name);
    if (kept === undefined) {
      this.#append(name, value);
      return;
    }
    const changed = replaceValue(kept, value);
    this.#body = this.#body
      .filter((line) => line === kept || line.kind !== 'entry' || line.key !== name)
      .map((line) => (line === kept ? changed : line));
  }

  /**
   * Adds a line for a key that may have several.
   *
   * @throws {WireGuardError} ERR_CONFIG as in `set`.
   */
  append(key: string, value: string): void {
    this.#append(this.#checked(key, value), value);
  }

  /** Removes the lines of a key. @returns Whether there was such a line. */
  delete(key: string): boolean {
    const before = this.#body.length;
    this.#body = this.#body.filter((line) => line.kind !== 'entry' || line.key !== key);
    return this.#body.length < before;
  }

  /** Adds a comment line below the header and the comments that follow the header. */
  addComment(text: string): void {
    this.#endWithNewline();
    const at = this.#body.findIndex(({ kind }) => kind !== 'comment');
    const line = parseLine(`# ${text.replace(/[\r\n]+/g, ' ')}${this.#newline}`);
    this.#body.splice(at < 0 ? this.#body.length : at, 0, line);
  }

  /** Replaces a comment of this section; `undefined` removes the line. */
  replaceComment(line: ConfigLine, text: string | undefined): void {
    const lineEnd = /\r?\n$/.exec(line.raw)?.[0] ?? '';
    const indent = line.raw.slice(0, line.keyAt);
    const replaced = text === undefined ? [] : [parseLine(`${indent}# ${text.replace(/[\r\n]+/g, ' ')}${lineEnd}`)];
    const replace = (lines: readonly ConfigLine[]) => lines.flatMap((old) => (old === line ? replaced : [old]));
    this.#leading = replace(this.#leading);
    this.#body = replace(this.#body);
  }

  /** Ends the section with a blank line, so that another can follow. */
  separate(): void {
    this.#endWithNewline();
    if (this.#body.at(-1)?.kind !== 'blank') this.#body.push(parseLine(this.#newline));
  }

  #append(name: string, value: string): void {
    this.#endWithNewline();
    const model = this.#body.findLast((line) => line.kind === 'entry');
    const { indent, separator } = spacing(model);
    const at = 1 + this.#body.findLastIndex((line) => line.kind !== 'blank');
    const behind = model === undefined ? at : 1 + this.#body.lastIndexOf(model);
    this.#body.splice(behind, 0, parseLine(`${indent}${name}${separator}${value}${this.#newline}`));
  }

  /** Adds the line feed that the last line of a file may lack. */
  #endWithNewline(): void {
    const last = this.#body.at(-1) ?? this.#header;
    if (last.raw.endsWith('\n')) return;
    const ended = parseLine(last.raw + this.#newline);
    if (this.#body.length === 0) this.#header = ended;
    else this.#body[this.#body.length - 1] = ended;
  }

  #checked(key: string, value: string): string {
    const known = lookupKey(key);
    if (known === undefined || known.section.toLowerCase() !== this.kind) {
      throw new WireGuardError('ERR_CONFIG', `"${key}" is not a key of [${this.#header.key}]`);
    }
    if (/[\r\n]/.test(value) || (value.includes('#') && !known.keepsHash)) {
      throw new WireGuardError('ERR_CONFIG', `${known.name}: a value is one line without "#"`);
    }
    known.parse(value, (fault) => {
      if (fault.severity === 'error') throw new WireGuardError('ERR_CONFIG', `${known.name}: ${fault.message}`);
    });
    return known.name;
  }
}

function replaceValue(line: ConfigLine, value: string): ConfigLine {
  const { raw, valueAt } = line;
  const gap = line.value === '' && raw[valueAt - 1] === '=' ? ' ' : '';
  return parseLine(raw.slice(0, valueAt) + gap + value + raw.slice(valueAt + line.value.length));
}

/** Returns the indentation and the spacing of the line above. */
function spacing(model: ConfigLine | undefined): { indent: string; separator: string } {
  if (model === undefined) return { indent: '', separator: ' = ' };
  const equals = model.raw.indexOf('=');
  const before = /[ \t]*$/.exec(model.raw.slice(model.keyAt, equals))![0];
  const after = model.value === '' ? before : model.raw.slice(equals + 1, model.valueAt);
  const isAligned = before.length > 1;
  return { indent: model.raw.slice(0, model.keyAt), separator: isAligned ? ' = ' : `${before}=${after}` };
}
