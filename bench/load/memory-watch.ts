import type { Program } from '../../test/lab/program.js';
import { residentMegabytes } from './process-figures.js';

const SAMPLE_MS = 50;

/** Watches the resident memory of programs, in MB: of all of them the one that has the most. */
export class MemoryWatch {
  readonly #programs: readonly Program[];
  readonly #start: number;
  readonly #sampler: NodeJS.Timeout;
  #greatest: number;

  constructor(programs: readonly Program[]) {
    this.#programs = programs;
    this.#start = this.#sample();
    this.#greatest = this.#start;
    this.#sampler = setInterval(() => this.#keep(), SAMPLE_MS);
    this.#sampler.unref();
  }

  /** Ends the watch. @returns What there was when it began, and the most since. */
  stop(): { readonly start: number; readonly greatest: number } {
    clearInterval(this.#sampler);
    this.#keep();
    return { start: this.#start, greatest: this.#greatest };
  }

  #keep(): void {
    this.#greatest = Math.max(this.#greatest, this.#sample());
  }

  #sample(): number {
    return Math.max(...this.#programs.map(residentMegabytes));
  }
}
