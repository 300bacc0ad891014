/** A wall clock that a test sets, for programs of Node that are started with the environment given here. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** Replaces `Date`, before anything of the program is loaded. */
const PRELOAD = `
import { readFileSync } from 'node:fs';
const RealDate = Date;
const now = () => RealDate.now() + Number(readFileSync(process.env.WRONG_CLOCK, 'utf8'));
globalThis.Date = class extends RealDate {
  constructor(...given) { given.length === 0 ? super(now()) : super(...given); }
  static now() { return now(); }
};`;

export class WrongClock {
  readonly env: Readonly<Record<string, string>>;
  readonly #file: string;

  /** @param aheadMs How far the clock is ahead of the machine's. */
  constructor(t: TestContext, aheadMs: number) {
    const folder = mkdtempSync(join(tmpdir(), 'wiretype-clock-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const preload = join(folder, 'clock.mjs');
    writeFileSync(preload, PRELOAD);
    this.#file = join(folder, 'ahead');
    this.env = { NODE_OPTIONS: `--import=${preload}`, WRONG_CLOCK: this.#file };
    this.set(aheadMs);
  }

  /** Sets the clock, also of programs that run. */
  set(aheadMs: number): void {
    writeFileSync(`${this.#file}.new`, String(aheadMs));
    renameSync(`${this.#file}.new`, this.#file);
  }
}
