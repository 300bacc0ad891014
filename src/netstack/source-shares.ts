/** Counts what each source holds, so that one of them cannot take everybody's place. */
export class SourceShares {
  readonly #most: number;
  readonly #mostOfOne: number;
  readonly #counts = new Map<string, number>();
  #total = 0;

  constructor(most: number, mostOfOne: number) {
    this.#most = most;
    this.#mostOfOne = mostOfOne;
  }

  /** @returns `false` if there is no place for one more of this source. */
  add(source: Int32Array): boolean {
    const key = source.join();
    const count = this.#counts.get(key) ?? 0;
    if (this.#total >= this.#most || count >= this.#mostOfOne) return false;
    this.#counts.set(key, count + 1);
    this.#total++;
    return true;
  }

  remove(source: Int32Array): void {
    const key = source.join();
    const count = this.#counts.get(key)! - 1;
    if (count === 0) this.#counts.delete(key);
    else this.#counts.set(key, count);
    this.#total--;
  }
}
