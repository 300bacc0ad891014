import { parseArgs } from 'node:util';

/** How thorough a run is. */
export interface Settings {
  readonly rounds: number;
  /** Of each transfer. */
  readonly seconds: number;
  /** Echo requests per reading. */
  readonly pings: number;
  /** Peers that are configured, for the measures of many peers. */
  readonly peerCounts: readonly number[];
  /** Handshakes per reading. */
  readonly handshakes: number;
  readonly hasLongMeasures: boolean;
}

export interface Options {
  readonly settings: Settings;
  /** Identifiers of measures or quantities, or beginnings of them; empty: all. */
  readonly only: readonly string[];
  /** Names of contenders; empty: all. */
  readonly contenders: readonly string[];
  readonly wireguardGo: string;
  /** Further implementations, as `NAME=PROGRAM`. */
  readonly also: readonly string[];
  readonly isSmoke: boolean;
  readonly isStages: boolean;
  readonly isList: boolean;
  /** A file of figures to draw and tabulate, with nothing measured. */
  readonly render: string | undefined;
  readonly out: string | undefined;
}

const FULL: Settings = {
  rounds: 5,
  seconds: 3,
  pings: 200,
  peerCounts: [1, 100, 10_000],
  handshakes: 12_000,
  hasLongMeasures: true,
};

/** Two minutes in all. */
const QUICK: Settings = {
  rounds: 1,
  seconds: 1,
  pings: 100,
  peerCounts: [1, 10_000],
  handshakes: 4_000,
  hasLongMeasures: false,
};

/** Only to see that everything works. */
const SMOKE: Settings = {
  rounds: 1,
  seconds: 0.3,
  pings: 5,
  peerCounts: [1, 20],
  handshakes: 100,
  hasLongMeasures: false,
};

export const USAGE = `usage: npm run bench -- [options]

  --quick               everything that matters, in two minutes
  --smoke               half a minute, fails only if something does not work
  --rounds N            how often everything is measured (5)
  --seconds S           length of each transfer (3)
  --only A,B            only measures whose name begins so
  --contenders A,B      only these: none, wiretype, wireguard-go, limit, and those of --also
  --wireguard-go PATH   the wireguard-go to measure against (the one in PATH)
  --also NAME=PROGRAM   one more implementation, called as "PROGRAM -f INTERFACE"
  --out FILE            where the figures go (bench/results/DATE.json)
  --stages              nanoseconds per packet of each stage instead
  --render FILE         draws docs/performance.svg and fills docs/performance.md from a file of figures
  --list                names all measures
`;

/** @throws {TypeError} for words that are no option. */
export function parseOptions(words: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...words],
    options: {
      quick: { type: 'boolean', default: false },
      smoke: { type: 'boolean', default: false },
      stages: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      only: { type: 'string', multiple: true },
      contenders: { type: 'string', multiple: true },
      'wireguard-go': { type: 'string', default: 'wireguard-go' },
      also: { type: 'string', multiple: true },
      out: { type: 'string' },
      render: { type: 'string' },
    },
  });
  const base = values.smoke ? SMOKE : values.quick ? QUICK : FULL;
  return {
    settings: {
      ...base,
      rounds: values.rounds === undefined ? base.rounds : positive('--rounds', values.rounds),
      seconds: values.seconds === undefined ? base.seconds : positive('--seconds', values.seconds),
    },
    only: splitAtCommas(values.only),
    contenders: splitAtCommas(values.contenders),
    wireguardGo: values['wireguard-go'],
    also: values.also ?? [],
    isSmoke: values.smoke,
    isStages: values.stages,
    isList: values.list,
    render: values.render,
    out: values.out,
  };
}

function splitAtCommas(lists: readonly string[] | undefined): string[] {
  return (lists ?? []).flatMap((list) => list.split(',')).filter(Boolean);
}

function positive(option: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new TypeError(`${option} takes a number above 0, not "${text}"`);
  return value;
}
