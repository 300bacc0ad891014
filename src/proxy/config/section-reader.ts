import { WireGuardError } from '../../core/errors.js';
import type { FileProblems } from './file-problems.js';
import type { IniEntry, IniSection } from './ini-text.js';
import { isSame } from './section-kinds.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Returns the value that a value of a file means: `$NAME` is the environment variable NAME, and `$$` in front is a `$`.
 *
 * Source: windtf/wireproxy config.go (`parseString`).
 *
 * @returns `undefined` if there is no such variable.
 */
export function expandValue(value: string, environment: Environment): string | undefined {
  if (!value.startsWith('$')) return value;
  return value.startsWith('$$') ? value.slice(1) : environment[value.slice(1)];
}

/** The values of one section, read by key. What is wrong is noted, and read as if it were not there. */
export class SectionReader {
  readonly #section: IniSection;
  readonly #environment: Environment;
  readonly #problems: FileProblems;

  constructor(section: IniSection, environment: Environment, problems: FileProblems) {
    this.#section = section;
    this.#environment = environment;
    this.#problems = problems;
  }

  text(key: string): string | undefined {
    return this.read(key, (value) => value);
  }

  /** @param parse Throws ERR_VALUE with a message that tells of no secret. */
  read<T>(key: string, parse: (value: string) => T): T | undefined {
    return this.all(key, parse)[0];
  }

  /** Reads a key that may stand on several lines. */
  all<T>(key: string, parse: (value: string) => T): T[] {
    return this.#entries(key).flatMap((entry) => this.#parsed(key, entry, parse));
  }

  /** Reads a whole number from `least` on. */
  number(key: string, least: number, most: number): number | undefined {
    return this.read(key, (value) => {
      const number = /^[0-9]+$/.test(value) ? Number(value) : Number.NaN;
      if (number >= least && number <= most) return number;
      throw new WireGuardError('ERR_VALUE', `it is a number from ${least} to ${most}`);
    });
  }

  has(key: string): boolean {
    return this.#entries(key).length > 0;
  }

  /** Notes a problem at the line of a key. */
  note(key: string, message: string, advice?: string): void {
    this.#problems.note(this.#entries(key)[0]?.line ?? this.#section.line, `${key}: ${message}`, advice);
  }

  #entries(key: string): readonly IniEntry[] {
    return this.#section.entries.filter((entry) => isSame(entry.key, key));
  }

  #parsed<T>(key: string, { value, line }: IniEntry, parse: (value: string) => T): T[] {
    const expanded = expandValue(value, this.#environment);
    if (expanded === undefined) {
      const advice = 'Set the variable, or write "$$" if the value itself begins with "$".';
      this.#problems.note(line, `${key}: there is no environment variable of this name`, advice);
      return [];
    }
    try {
      return [parse(expanded)];
    } catch (error) {
      if (!(error instanceof WireGuardError)) throw error;
      this.#problems.note(line, `${key}: ${error.message}`);
      return [];
    }
  }
}
