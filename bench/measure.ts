import type { Contender } from './contender.js';
import type { Settings } from './settings.js';
import type { Site } from './site.js';

/**
 * Where a figure has to be: an amount or, with `than`, compared with what another contender had in the same round, or,
 * with `thanOwn`, with another quantity of wiretype itself.
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

/** One experiment: what it tells, whom it can be done with, and how it is done. */
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
