/**
 * Shows text that changes: in one place on a terminal, as further lines elsewhere.
 */
export class Screen {
  readonly #write: (text: string) => void;
  readonly #columns: () => number | undefined;
  /** Lines of the last text that the next one replaces. */
  #shownLines = 0;

  /** @param columns Width of the terminal; `undefined` where there is none. */
  constructor(write: (text: string) => void, columns: () => number | undefined) {
    this.#write = write;
    this.#columns = columns;
  }

  get isTerminal(): boolean {
    return this.#columns() !== undefined;
  }

  /** Shows lines that stay. */
  print(text: string): void {
    this.#write(`${this.#eraser()}${text}\n`);
    this.#shownLines = 0;
  }

  /** Shows lines that the next call replaces. Without a terminal the lines stay. */
  update(lines: readonly string[]): void {
    const columns = this.#columns();
    const fitting = columns === undefined ? lines : lines.map((line) => cut(line, columns - 1));
    this.#write(`${this.#eraser()}${fitting.join('\n')}\n`);
    this.#shownLines = columns === undefined ? 0 : lines.length;
  }

  /** Goes to the first of the lines to be replaced and clears from there on. */
  #eraser(): string {
    return this.#shownLines === 0 ? '' : `\x1b[${this.#shownLines}A\x1b[J`;
  }
}

/** Cuts a line to the width: a line that wraps would falsify the count of lines. */
function cut(line: string, columns: number): string {
  return line.length <= columns ? line : `${line.slice(0, Math.max(columns - 1, 0))}…`;
}
