import type { Contender } from './contender.js';
import type { Settings } from './settings.js';
import type { Site } from './site.js';

/**
 * The goal of a figure: an amount or, with `than`, a comparison with another contender in the same round, or, with
 * `thanOwn`, with another quantity of wiretype itself.
 */
export interface Goal {
  readonly atLeast?: number;
  readonly atMost?: number;
  readonly than?: string;
  readonly thanOwn?: string;
  /** Default: `ratio`. */
  readonly by?: 'ratio' | 'difference';
}

/** One figure that a measure gives. */
export interface Quantity {
  readonly id: string;
  readonly title: string;
  readonly unit: string;
  /** Digits after the point. */
  readonly digits?: number;
  /** Default: `true`. */
  readonly isMoreBetter?: boolean;
  /** Figures of wiretype. */
  readonly goal?: Goal;
}

/** Readings, by `Quantity.id`. */
export type Readings = Readonly<Record<string, number>>;

/** One experiment: its quantities, its contenders, and its procedure. */
export interface Measure {
  readonly id: string;
  readonly quantities: readonly Quantity[];
  /** How often it is taken: in every round, or once in the whole run. Default: `round`. */
  readonly per?: 'round' | 'run';
  /** Left out of `--quick` and `--smoke`. */
  readonly isLong?: boolean;
  suits(contender: Contender): boolean;
  /** @returns A number for every quantity. */
  take(site: Site, settings: Settings): Promise<Readings>;
}
