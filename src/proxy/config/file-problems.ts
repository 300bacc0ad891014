import { WireGuardError } from '../../core/errors.js';

/** Collects everything that is wrong with one file, so that a user corrects all of it at once. */
export class FileProblems {
  readonly fileName: string;
  readonly #texts: { readonly line: number; readonly text: string }[] = [];

  constructor(fileName: string) {
    this.fileName = fileName;
  }

  /** @param message Names the key; never repeats a secret. @param advice The next step, a sentence. */
  note(line: number, message: string, advice?: string): void {
    const text = `${this.fileName}:${line}: ${message}${advice === undefined ? '' : `\n    ${advice}`}`;
    this.#texts.push({ line, text });
  }

  /** @throws {WireGuardError} ERR_CONFIG with every problem, in the order of their lines. */
  throwIfAny(): void {
    if (this.#texts.length === 0) return;
    const inOrder = this.#texts.toSorted((a, b) => a.line - b.line);
    throw new WireGuardError('ERR_CONFIG', inOrder.map(({ text }) => text).join('\n'));
  }
}
