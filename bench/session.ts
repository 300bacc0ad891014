import { type Contender, SUBJECTS } from './contender.js';
import { addReadings, beginFigures, type Figures } from './figures.js';
import type { Measure, Readings } from './measure.js';
import type { Run } from './run.js';
import type { Settings } from './settings.js';
import { Site } from './site.js';

/** A measure that gave no figures. */
export interface Failure {
  readonly measure: string;
  readonly contender: string;
  readonly isOurs: boolean;
}

/**
 * Takes all measures from all contenders, round by round.
 *
 * Every measure is taken from all contenders before the next one begins: other load of the machine affects all alike.
 * A measure that fails is reported, and the rest continues.
 */
export class Session {
  readonly #measures: readonly Measure[];
  readonly #contenders: readonly Contender[];
  readonly #settings: Settings;
  #figures: Figures | undefined;
  #step = 0;

  constructor(measures: readonly Measure[], contenders: readonly Contender[], settings: Settings) {
    this.#measures = measures;
    this.#contenders = contenders;
    this.#settings = settings;
  }

  /** Everything measured so far. */
  figures(run: Run): Figures {
    this.#figures ??= beginFigures(
      run,
      this.#measures.flatMap(({ quantities }) => quantities),
    );
    return this.#figures;
  }

  /** @param keep Called after each reading. */
  async run(run: Run, keep: (figures: Figures) => void = () => {}): Promise<Failure[]> {
    const failures: Failure[] = [];
    const figures = this.figures(run);
    for (let round = 0; round < this.#settings.rounds; round++) {
      const sites = new Map(this.#contenders.map((contender) => [contender, new Site(contender)]));
      try {
        for (const [measure, contender] of this.#plan(round)) {
          const readings = await this.#take(measure, sites.get(contender)!);
          if (readings === undefined) failures.push(failureOf(measure, contender));
          else addReadings(figures, contender.title, round, readings);
          keep(figures);
        }
      } finally {
        for (const site of sites.values()) await site.close();
      }
    }
    return failures;
  }

  /** Returns the contenders in an order that changes from round to round. */
  #plan(round: number): [Measure, Contender][] {
    const by = round % Math.max(this.#contenders.length, 1);
    const inTurn = [...this.#contenders.slice(by), ...this.#contenders.slice(0, by)];
    return this.#measures.flatMap((measure) =>
      measure.per === 'run' && round > 0
        ? []
        : inTurn
            .filter((contender) => measure.suits(contender))
            .map((contender): [Measure, Contender] => [measure, contender]),
    );
  }

  /** @returns `undefined` if it could not be measured. */
  async #take(measure: Measure, site: Site): Promise<Readings | undefined> {
    const step = `${++this.#step}/${this.#stepCount()}`.padEnd(9);
    say(`${step}${measure.id.padEnd(18)}${site.contender.title.padEnd(14)}`);
    try {
      const readings = await measure.take(site, this.#settings);
      for (const { id } of measure.quantities)
        if (!Number.isFinite(readings[id])) throw new Error(`${id} is ${readings[id]}`);
      say(`${describeReadings(readings)}\n`);
      return readings;
    } catch (error) {
      say(`failed: ${error instanceof Error ? error.message : String(error)}\n`);
      return undefined;
    }
  }

  #stepCount(): number {
    let sum = 0;
    for (let round = 0; round < this.#settings.rounds; round++) sum += this.#plan(round).length;
    return sum;
  }
}

function failureOf({ id }: Measure, { title }: Contender): Failure {
  return { measure: id, contender: title, isOurs: SUBJECTS.includes(title) };
}

function describeReadings(readings: Readings): string {
  const values = Object.entries(readings).map(([id, value]) => `${id} ${Number(value.toPrecision(4))}`);
  return values.join('  ');
}

function say(text: string): void {
  process.stdout.write(text);
}
