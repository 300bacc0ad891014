/** Shared by all empty sets, which most connections have; never changed. */
const NO_RANGES: number[] = [];

/**
 * Sorted ranges of byte offsets that neither overlap nor touch: what arrived ahead of a gap.
 *
 * Offsets are plain numbers that only grow, so they need no wrap-around: the owner converts sequence numbers.
 */
export class ByteRanges {
  #starts = NO_RANGES;
  #ends = NO_RANGES;

  get count(): number {
    return this.#starts.length;
  }

  start(index: number): number {
    return this.#starts[index];
  }

  end(index: number): number {
    return this.#ends[index];
  }

  /** Adds [start, end) and joins it with every range that it overlaps or touches. @returns The index of the joined range. */
  add(start: number, end: number): number {
    if (this.#starts === NO_RANGES) {
      this.#starts = [];
      this.#ends = [];
    }
    const first = this.#firstReaching(start);
    let last = first;
    let joinedStart = start;
    let joinedEnd = end;
    while (last < this.count && this.#starts[last] <= end) {
      joinedStart = Math.min(joinedStart, this.#starts[last]);
      joinedEnd = Math.max(joinedEnd, this.#ends[last]);
      last++;
    }
    this.#starts.splice(first, last - first, joinedStart);
    this.#ends.splice(first, last - first, joinedEnd);
    return first;
  }

  /** Tests whether [start, end) is inside one range. */
  covers(start: number, end: number): boolean {
    const index = this.#firstReaching(start);
    return index < this.count && this.#starts[index] <= start && end <= this.#ends[index];
  }

  /** Tests whether [start, end) would join a range, and so begin none. */
  touches(start: number, end: number): boolean {
    const index = this.#firstReaching(start);
    return index < this.count && this.#starts[index] <= end;
  }

  /** Removes and returns the end of the range that begins at or before `offset`; −1 if there is none. */
  takeThrough(offset: number): number {
    if (this.count === 0 || this.#starts[0] > offset) return -1;
    this.#starts.shift();
    return this.#ends.shift()!;
  }

  clear(): void {
    this.#starts = NO_RANGES;
    this.#ends = NO_RANGES;
  }

  /** Returns the index of the first range whose end is not in front of `offset`, by bisection. */
  #firstReaching(offset: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#ends[middle] < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
