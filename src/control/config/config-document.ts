import { WireGuardError } from '../../core/errors.js';
import { checkDocument, problemAt } from './check-document.js';
import { type ConfigLine, parseLine } from './config-line.js';
import { type ConfigProblem, formatProblem } from './config-problem.js';
import { ConfigSection } from './config-section.js';
import type { ConfigFault } from './config-values.js';
import { InterfaceSection } from './interface-section.js';
import { PeerSection } from './peer-section.js';
import type { ValueSource } from './section-values.js';

/** The parts that `parseConfig` cuts a text into. */
export interface ConfigParts {
  readonly fileName: string;
  /** A byte order mark, or nothing. */
  readonly mark: string;
  /** The lines before the first section. */
  readonly preamble: ConfigLine[];
  readonly sections: ConfigSection[];
  /** The line end that new lines get. */
  readonly newline: '\n' | '\r\n';
}

/**
 * A configuration file in memory: every character of the text, and a typed view of its content.
 *
 * Edits touch only the lines of the key that is edited, so comments, order and spacing of the rest stay.
 */
export class ConfigDocument implements ValueSource {
  readonly fileName: string;
  readonly #parts: ConfigParts;
  #peers: PeerSection[] | undefined;
  #isReadAsWg = false;

  constructor(parts: ConfigParts) {
    this.fileName = parts.fileName;
    this.#parts = parts;
  }

  /** The text of the file. Without edits it is the text that was parsed, to the last character. */
  get text(): string {
    const { mark, preamble, sections } = this.#parts;
    const pieces = [mark, ...preamble.map(({ raw }) => raw)];
    for (const section of sections) pieces.push(section.text);
    return pieces.join('');
  }

  /**
   * Accepts from now on all values that `wg` accepts: an IPv6 endpoint without brackets, a port above 65535. Such a value
   * is a warning among the problems, and no longer an error.
   */
  readAsWg(): this {
    this.#isReadAsWg = true;
    return this;
  }

  get isReadAsWg(): boolean {
    return this.#isReadAsWg;
  }

  /** The lines before the first section. */
  get preamble(): readonly ConfigLine[] {
    return this.#parts.preamble;
  }

  get sections(): readonly ConfigSection[] {
    return this.#parts.sections;
  }

  /** All lines in order: the first is line 1. */
  *lines(): Iterable<ConfigLine> {
    yield* this.#parts.preamble;
    for (const section of this.#parts.sections) yield* section.lines();
  }

  get interfaceSection(): InterfaceSection | undefined {
    const sections = this.#parts.sections.filter(({ kind }) => kind === 'interface');
    return sections.length === 0 ? undefined : new InterfaceSection(sections, this);
  }

  get peers(): readonly PeerSection[] {
    this.#peers ??= this.#parts.sections
      .filter(({ kind }) => kind === 'peer')
      .map((section) => new PeerSection(section, this));
    return this.#peers;
  }

  /** Returns the peer with this public key in base64: the last section, if there are several for one key. */
  peer(publicKey: string): PeerSection | undefined {
    return this.peers.findLast((peer) => peer.publicKeyText === publicKey);
  }

  /** All errors and warnings in line order. */
  get problems(): readonly ConfigProblem[] {
    return checkDocument(this);
  }

  /** @throws {WireGuardError} ERR_CONFIG with every error, each with its line. Warnings pass. */
  assertValid(): void {
    const errors = this.problems.filter(({ severity }) => severity === 'error');
    if (errors.length > 0) throw configError(errors, this.fileName);
  }

  /** Returns the [Interface] section; a new section goes to the top of the file. */
  ensureInterface(): InterfaceSection {
    if (!this.#parts.sections.some(({ kind }) => kind === 'interface')) {
      this.#endPreamble();
      const section = this.#newSection('Interface');
      if (this.#parts.sections.length > 0) section.separate();
      this.#parts.sections.unshift(section);
    }
    return this.interfaceSection!;
  }

  /**
   * Adds a peer at the end of the file.
   *
   * @param publicKey Base64.
   * @param name Goes into a comment.
   * @throws {WireGuardError} ERR_CONFIG if the key is malformed, or belongs to a peer of this file.
   */
  addPeer(publicKey: string, name?: string): PeerSection {
    if (this.peer(publicKey) !== undefined) {
      throw new WireGuardError('ERR_CONFIG', `${this.fileName}: there is a peer with the key ${publicKey} already`);
    }
    const section = this.#newSection('Peer');
    section.set('PublicKey', publicKey);
    if (name !== undefined) section.addComment(`Name = ${name}`);

    this.#separateEnd();
    this.#parts.sections.push(section);
    const peer = new PeerSection(section, this);
    this.#peers?.push(peer);
    return peer;
  }

  /** Removes a peer, with the comment above the peer and the comments inside. @returns Whether the peer was there. */
  removePeer(peer: PeerSection): boolean {
    const at = this.#parts.sections.indexOf(peer.section);
    if (at < 0) return false;
    this.#parts.sections.splice(at, 1);
    this.#peers = undefined;
    return true;
  }

  /** Replaces one section by other sections. */
  replaceSection(old: ConfigSection, sections: readonly ConfigSection[]): void {
    const at = this.#parts.sections.indexOf(old);
    if (at < 0) return;
    this.#parts.sections.splice(at, 1, ...sections);
    this.#peers = undefined;
  }

  fail(line: ConfigLine, fault: ConfigFault): never {
    let number = 1;
    for (const candidate of this.lines()) {
      if (candidate === line) break;
      number++;
    }
    throw configError([problemAt(line, number, fault)], this.fileName);
  }

  #newSection(name: 'Interface' | 'Peer'): ConfigSection {
    const { newline } = this.#parts;
    return new ConfigSection([], parseLine(`[${name}]${newline}`), [], newline);
  }

  #separateEnd(): void {
    const last = this.#parts.sections.at(-1);
    if (last === undefined) this.#endPreamble();
    else last.separate();
  }

  /** Ends the preamble with a line feed, which a file without sections may lack. */
  #endPreamble(): void {
    const { preamble, newline } = this.#parts;
    const last = preamble.at(-1);
    if (last !== undefined && !last.raw.endsWith('\n')) preamble[preamble.length - 1] = parseLine(last.raw + newline);
  }
}

function configError(problems: readonly ConfigProblem[], fileName: string): WireGuardError {
  return new WireGuardError(
    'ERR_CONFIG',
    problems
      .map((problem) => formatProblem(problem, fileName))
      .join('')
      .trimEnd(),
  );
}
