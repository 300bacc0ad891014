/** Options of the benchmarks on their command line. */
import { type ParseArgsConfig, parseArgs } from 'node:util';

import { FULL, QUICK, type Settings, SMOKE } from './settings.js';

/** A set of measures with contenders of their own. */
export type SuiteName = 'tunnel' | 'rootless' | 'gateway' | 'mesh';

/** The work to be done. */
export type Action = 'measure' | (typeof ACTIONS)[number];

export interface Options {
  readonly action: Action;
  readonly suite: SuiteName;
  readonly settings: Settings;
  /** Identifiers of measures or quantities, or beginnings of them; empty: all. */
  readonly only: readonly string[];
  /** Names of contenders; empty: all. */
  readonly contenders: readonly string[];
  readonly wireguardGo: string;
  /** A program that takes the place of `bench/gvisor`. */
  readonly gvisor: string | undefined;
  /** A yardstick in place of `bench/limit.c`: a program, or its source in C. */
  readonly limit: string | undefined;
  /** Further implementations, as `NAME=PROGRAM`. */
  readonly also: readonly string[];
  readonly out: string | undefined;
  /** Files of figures, for `render`. */
  readonly files: readonly string[];
}

export const USAGE = `usage: npm run bench -- [rootless|gateway|mesh] [options]   as root

Measures wiretype, wireguard-go, a plain C loop ("limit") and the bare cable ("none") in turn, in network namespaces of
their own, and prints medians, spread, ratios, and which goals are met. Every reading is written to a file at once: what
was measured is kept when a measure fails or the run is stopped.

  npm run bench                                       everything, five rounds: about half an hour
  npm run bench -- --quick                            what matters, in two minutes
  npm run bench -- --only tcp,udp --rounds 7          some measures, more often
  npm run bench -- --contenders wiretype,limit        some contenders
  npm run bench -- rootless                           hosts inside a program: ten minutes
  npm run bench -- gateway                            the gateway, and others that translate addresses: ten minutes
  npm run bench -- mesh                               the relay and the hub of a mesh: five minutes
  npm run bench -- --stages --out s.json              nanoseconds per packet of each stage of the data path
  npm run bench -- --render a.json s.json             takes these figures into docs/performance.json, draws and tabulates

How thorough
  --quick               one round, short transfers, without the measures that take minutes
  --smoke               half a minute; says only whether everything works, and fails if anything does not
  --rounds N            how often everything is measured (5)
  --seconds S           length of each transfer (3)

What, and whom
  --only A,B            only measures or figures whose name begins so
  --list                names all of them
  --contenders A,B      only these: none, wiretype, wireguard-go, limit, and those of --also; for rootless: library, proxy,
                        "kernel TUN", gVisor
  --wireguard-go PATH   the wireguard-go to measure against (the one in PATH)
  --gvisor PATH         for rootless, another program called as bench/gvisor/main.go says (built from Debian's packages)
  --limit PATH          another yardstick: a program, or its source in C. Called as "PROGRAM TUN PORT INNER/OUTER/PORT…";
                        if its usage does not name INNER/OUTER/PORT, as "PROGRAM TUN PORT ADDRESS PORT", for IPv4 and two hosts
  --also NAME=PROGRAM   one more implementation of WireGuard, called as "PROGRAM -f INTERFACE" and configured by wg

Figures
  --out FILE            where they go (bench/results/DATE.json)
  --render [FILE…]      takes the figures of these files into docs/performance.json, later ones in place of earlier ones,
                        and draws docs/performance.svg and fills docs/performance.md from it
`;

const FLAGS = {
  quick: { type: 'boolean', default: false },
  smoke: { type: 'boolean', default: false },
  stages: { type: 'boolean', default: false },
  list: { type: 'boolean', default: false },
  render: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
  rounds: { type: 'string' },
  seconds: { type: 'string' },
  only: { type: 'string', multiple: true, default: [] as string[] },
  contenders: { type: 'string', multiple: true, default: [] as string[] },
  'wireguard-go': { type: 'string', default: 'wireguard-go' },
  gvisor: { type: 'string' },
  limit: { type: 'string' },
  also: { type: 'string', multiple: true, default: [] as string[] },
  out: { type: 'string' },
} satisfies ParseArgsConfig['options'];

const ACTIONS = ['help', 'list', 'render', 'stages', 'smoke'] as const;

/** @throws {TypeError} For words that are no option, and values that make no sense. */
export function parseOptions(words: readonly string[]): Options {
  const { values, positionals } = parseArgs({ args: [...words], options: FLAGS, allowPositionals: true });
  const action = ACTIONS.find((name) => values[name]) ?? 'measure';
  const named = (['rootless', 'gateway', 'mesh'] as const).find(
    (name) => action !== 'render' && positionals[0] === name,
  );
  const suite = named ?? 'tunnel';
  const files = named === undefined ? positionals : positionals.slice(1);
  if (files.length > 0 && action !== 'render') throw new TypeError(`"${files[0]}" is no option`);
  for (const pair of values.also)
    if (!/^[^=]+=./.test(pair)) throw new TypeError(`--also takes NAME=PROGRAM, not "${pair}"`);

  const base = values.smoke ? SMOKE : values.quick ? QUICK : FULL;
  return {
    action,
    suite,
    settings: {
      ...base,
      rounds: values.rounds === undefined ? base.rounds : wholeNumber('--rounds', values.rounds),
      seconds: values.seconds === undefined ? base.seconds : positive('--seconds', values.seconds),
    },
    only: splitAtCommas(values.only),
    contenders: splitAtCommas(values.contenders),
    wireguardGo: values['wireguard-go'],
    gvisor: values.gvisor,
    limit: values.limit,
    also: values.also,
    out: values.out,
    files,
  };
}

function splitAtCommas(lists: readonly string[]): string[] {
  return lists.flatMap((list) => list.split(',')).filter(Boolean);
}

function positive(option: string, text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < Infinity)) throw new TypeError(`${option} takes a number above 0, not "${text}"`);
  return value;
}

function wholeNumber(option: string, text: string): number {
  const value = positive(option, text);
  if (!Number.isInteger(value)) throw new TypeError(`${option} takes a whole number, not "${text}"`);
  return value;
}
