import type { ConfigLine } from './config-line.js';
import type { ConfigSection } from './config-section.js';
import { parseKeyValue, parsePersistentKeepalive } from './config-values.js';
import { type ConfigAllowedIp, type ConfigEndpoint, parseAllowedIps, parseEndpointValue } from './peer-values.js';
import { SectionValues, type ValueSource } from './section-values.js';

const NAME_COMMENT = /^#+\s*((?:name|friendly_name|client)\s*[=:]\s*)(.+?)\s*$/i;
const PLAIN_COMMENT = /^#+\s*([^#\s].*?)\s*$/;

/**
 * The configuration of one peer in a file, typed. Getters throw as the getters of `InterfaceSection` do.
 *
 * The format has no names of peers: by custom the name stands in a comment, `# Name = …` below
 * the header, or any comment directly above it.
 */
export class PeerSection {
  /** The lines themselves. */
  readonly section: ConfigSection;
  readonly #values: SectionValues;

  constructor(section: ConfigSection, source: ValueSource) {
    this.section = section;
    this.#values = new SectionValues([section], source);
  }

  /** 32 bytes; `undefined` if the key is missing, which is an error of the file. */
  get publicKey(): Uint8Array | undefined {
    return this.#values.last('PublicKey', parseKeyValue);
  }

  /** The key as written, without white space; `''` if it is missing. */
  get publicKeyText(): string {
    return (this.section.lastEntry('PublicKey')?.value ?? '').replace(/[ \t\r\v\f]+/g, '');
  }

  /** 32 bytes that the caller clears. */
  get presharedKey(): Uint8Array | undefined {
    return this.#values.last('PresharedKey', parseKeyValue);
  }

  /** The items of all lines, in order. */
  get allowedIps(): readonly ConfigAllowedIp[] {
    return this.#values.all('AllowedIPs', parseAllowedIps).flat();
  }

  get endpoint(): ConfigEndpoint | undefined {
    return this.#values.last('Endpoint', parseEndpointValue);
  }

  /** Seconds; 0: off. */
  get persistentKeepalive(): number | undefined {
    return this.#values.last('PersistentKeepalive', parsePersistentKeepalive);
  }

  /** The name in a comment, see above. */
  get name(): string | undefined {
    const line = this.#nameLine?.raw.trim() ?? '';
    return NAME_COMMENT.exec(line)?.[2] ?? PLAIN_COMMENT.exec(line)?.[1];
  }

  /** Gives the peer a name, in place of the old name or in a new comment. */
  rename(name: string): void {
    const line = this.#nameLine;
    if (line === undefined) this.section.addComment(`Name = ${name}`);
    else this.section.replaceComment(line, `${NAME_COMMENT.exec(line.raw.trim())?.[1] ?? 'Name = '}${name}`);
  }

  /** Reads a note, `# KEY = VALUE` below the header. Other programs take it for a comment. */
  note(key: string): string | undefined {
    return this.#noteLine(key)?.[1];
  }

  /** Writes a note; `undefined` removes it. */
  setNote(key: string, value: string | undefined): void {
    const text = value === undefined ? undefined : `${key} = ${value}`;
    const line = this.#noteLine(key)?.[0];
    if (line !== undefined) this.section.replaceComment(line, text);
    else if (text !== undefined) this.section.addComment(text);
  }

  /** Gives a key one value, see `ConfigSection.set`. */
  set(key: string, value: string): void {
    this.section.set(key, value);
  }

  /** Removes the lines of a key. @returns Whether there was such a line. */
  delete(key: string): boolean {
    return this.section.delete(key);
  }

  get #nameLine(): ConfigLine | undefined {
    const { leading, body } = this.section;
    const comments = [...body, ...leading].filter(({ kind }) => kind === 'comment');
    const above = leading.at(-1);
    const isPlain = above !== undefined && PLAIN_COMMENT.test(above.raw.trim());
    return comments.find(({ raw }) => NAME_COMMENT.test(raw.trim())) ?? (isPlain ? above : undefined);
  }

  #noteLine(key: string): readonly [line: ConfigLine, value: string] | undefined {
    const pattern = new RegExp(`^#+\\s*${key}\\s*=\\s*(.+?)\\s*$`, 'i');
    for (const line of this.section.body) {
      const value = line.kind === 'comment' ? pattern.exec(line.raw.trim())?.[1] : undefined;
      if (value !== undefined) return [line, value];
    }
    return undefined;
  }
}
