import type { ConfigSection } from './config-section.js';
import type { ConfigAddress, ConfigDns } from './config-values.js';
import {
  type ConfigParser,
  parseAddresses,
  parseBoolean,
  parseDns,
  parseFwMark,
  parseKeyValue,
  parseListenPort,
  parseMtu,
  parseTable,
} from './config-values.js';
import { SectionValues, type ValueSource } from './section-values.js';

export type HookName = 'PreUp' | 'PostUp' | 'PreDown' | 'PostDown';

/**
 * The configuration of the interface in a file, typed. Several [Interface] sections count as one.
 *
 * Getters read the text each time. They throw `WireGuardError` ERR_CONFIG with line and column
 * where the text is wrong; after `ConfigDocument.assertValid` they do not throw.
 */
export class InterfaceSection {
  readonly #values: SectionValues;
  readonly #sections: readonly ConfigSection[];

  constructor(sections: readonly ConfigSection[], source: ValueSource) {
    this.#sections = sections;
    this.#values = new SectionValues(sections, source);
  }

  /** 32 bytes that the caller clears. The text of the file stays in memory as long as the document. */
  get privateKey(): Uint8Array | undefined {
    return this.#last('PrivateKey', parseKeyValue);
  }

  /** 0: any free port. */
  get listenPort(): number | undefined {
    return this.#last('ListenPort', parseListenPort);
  }

  /** 0: off. */
  get fwMark(): number | undefined {
    return this.#last('FwMark', parseFwMark);
  }

  get addresses(): readonly ConfigAddress[] {
    return this.#values.all('Address', parseAddresses).flat();
  }

  get dns(): ConfigDns {
    const said = this.#values.all('DNS', parseDns);
    return {
      servers: said.flatMap(({ servers }) => servers),
      searchDomains: said.flatMap(({ searchDomains }) => searchDomains),
    };
  }

  /** Bytes. */
  get mtu(): number | undefined {
    return this.#last('MTU', parseMtu);
  }

  /** `off`, `auto`, a number or a name; absent means `auto`. */
  get table(): string | undefined {
    return this.#last('Table', parseTable);
  }

  get saveConfig(): boolean {
    return this.#last('SaveConfig', parseBoolean) ?? false;
  }

  /** The commands of a hook in order, `%i` still in them. */
  hooks(name: HookName): readonly string[] {
    return this.#values.texts(name);
  }

  /** Gives a key one value, see `ConfigSection.set`. */
  set(key: string, value: string): void {
    const name = key.toLowerCase();
    const section = this.#sections.findLast(({ body }) => body.some((line) => line.key.toLowerCase() === name));
    (section ?? this.#sections[0]!).set(key, value);
  }

  /** Adds a line to a key that may have several, see `ConfigSection.append`. */
  append(key: string, value: string): void {
    this.#sections.at(-1)!.append(key, value);
  }

  /** Removes the lines of a key. @returns Whether there was such a line. */
  delete(key: string): boolean {
    return this.#sections.map((section) => section.delete(key)).includes(true);
  }

  #last<T>(key: string, parse: ConfigParser<T>): T | undefined {
    return this.#values.last(key, parse);
  }
}
