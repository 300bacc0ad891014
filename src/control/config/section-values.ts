import type { ConfigLine } from './config-line.js';
import type { ConfigSection } from './config-section.js';
import type { ConfigFault, ConfigParser } from './config-values.js';

/** The document that sections belong to, which can locate a line. */
export interface ValueSource {
  /** Accepts all values that `wg` accepts, however they are written. */
  readonly isReadAsWg: boolean;
  /** Throws a `WireGuardError` that shows the line. */
  fail(line: ConfigLine, fault: ConfigFault): never;
}

/** Reads the values of the keys of one or several sections. Errors are thrown, warnings left to `problems`. */
export class SectionValues {
  readonly #sections: readonly ConfigSection[];
  readonly #source: ValueSource;

  constructor(sections: readonly ConfigSection[], source: ValueSource) {
    this.#sections = sections;
    this.#source = source;
  }

  /** The value on the last line of a key. */
  last<T>(key: string, parse: ConfigParser<T>): T | undefined {
    for (let i = this.#sections.length - 1; i >= 0; i--) {
      const line = this.#sections[i]!.lastEntry(key);
      if (line !== undefined) return this.#parse(line, parse);
    }
    return undefined;
  }

  /** The values on all lines of a key. */
  all<T>(key: string, parse: ConfigParser<T>): T[] {
    const values: T[] = [];
    for (const section of this.#sections) {
      for (const line of section.entries(key)) {
        const value = this.#parse(line, parse);
        if (value !== undefined) values.push(value);
      }
    }
    return values;
  }

  texts(key: string): string[] {
    return this.#sections.flatMap((section) => section.entries(key).map(({ value }) => value));
  }

  #parse<T>(line: ConfigLine, parse: ConfigParser<T>): T | undefined {
    return parse(line.value, (fault) => {
      const isTaken = this.#source.isReadAsWg && fault.isTakenByWg === true;
      if (fault.severity === 'error' && !isTaken) this.#source.fail(line, fault);
    });
  }
}
