/** Echo requests at a steady pace, of which none may be lost; how late an answer comes does not matter. */
import assert from 'node:assert/strict';

import type { Host } from './namespace.js';
import type { Program } from './program.js';
import { waitFor } from './wait.js';

const INTERVAL_SECONDS = 0.02;
const PATIENCE_MS = 30_000;

export class PingStream {
  readonly #program: Program;

  private constructor(program: Program) {
    this.#program = program;
  }

  static start(from: Host, address: string): PingStream {
    return new PingStream(from.start('ping', ['-n', '-i', String(INTERVAL_SECONDS), address]));
  }

  get answerCount(): number {
    return this.#answered().size;
  }

  /** The number of the last echo request that was answered. */
  get lastAnswered(): number {
    return Math.max(0, ...this.#answered());
  }

  /** Waits until so many were sent, ends, and fails unless each of them was answered. */
  async assertUnbroken(count: number): Promise<void> {
    const isDone = (): boolean => this.#missing(count).length === 0;
    // Without an end of its own: `ping -c` does not wait for a last answer that takes longer than the others.
    await waitFor(`${count} echo replies`, () => isDone() || this.lastAnswered > 2 * count, PATIENCE_MS);
    await this.#program.stop('SIGINT');
    assert.deepEqual(this.#missing(count), [], `these of ${this.#program.title} were not answered`);
  }

  #missing(count: number): number[] {
    const answered = this.#answered();
    return Array.from({ length: count }, (_, i) => i + 1).filter((sequence) => !answered.has(sequence));
  }

  #answered(): Set<number> {
    return new Set(
      Array.from(this.#program.stdout.matchAll(/bytes from .*icmp_seq=(\d+)/g), (match) => Number(match[1])),
    );
  }
}
