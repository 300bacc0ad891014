/** The benchmarks: measures several implementations in turn, in network namespaces of their own. */
import { fileURLToPath } from 'node:url';

import { attempt } from '../test/lab/program.js';
import { type Contender, findContenders, SUBJECT } from './contender.js';
import { addReadings, beginFigures, defaultPath, type Figures, readFigures, writeFigures } from './figures.js';
import type { Measure } from './measure.js';
import { measures } from './measures/index.js';
import { renderDocuments } from './render.js';
import { type Options, parseOptions, type Settings, USAGE } from './settings.js';
import { Site } from './site.js';
import { formatText, tabulate } from './table.js';

const STAGES = fileURLToPath(new URL('stages/main.js', import.meta.url));

/** @returns The exit status: 0, or 1 when something could not be measured. */
export async function main(words: readonly string[]): Promise<number> {
  let options: Options;
  try {
    options = parseOptions(words);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    process.stderr.write(`bench: ${error.message}\n\n${USAGE}`);
    return 1;
  }
  const chosen = chooseMeasures(options);
  if (options.isList) {
    for (const { quantities } of chosen) for (const { id, title } of quantities) say(`${id.padEnd(16)}${title}`);
    return 0;
  }
  if (options.render !== undefined) {
    renderDocuments(readFigures(options.render));
    return 0;
  }
  if (process.getuid?.() !== 0) {
    process.stderr.write('bench: network namespaces need root.\n');
    return 1;
  }
  if (options.isStages) return await runStages([]);
  const failures = await measureAll(options, chosen, `npm run bench -- ${words.join(' ')}`.trimEnd());
  return failures === 0 && (!options.isSmoke || (await runStages(['--brief'])) === 0) ? 0 : 1;
}

function chooseMeasures({ only, settings }: Options): Measure[] {
  const isNamed = (id: string): boolean => only.some((name) => id.startsWith(name));
  if (only.length > 0)
    return measures.filter(({ id, quantities }) => isNamed(id) || quantities.some((quantity) => isNamed(quantity.id)));
  return measures.filter(({ isLong }) => settings.hasLongMeasures || isLong !== true);
}

async function measureAll(options: Options, chosen: readonly Measure[], command: string): Promise<number> {
  const { settings, out, isSmoke } = options;
  const contenders = await findContenders(options);
  const quantities = chosen.flatMap((measure) => measure.quantities);
  const figures = await beginFigures(command, settings.seconds, contenders, quantities);
  const path = out ?? defaultPath();
  let failures = 0;
  for (let round = 0; round < settings.rounds; round++) {
    failures += await measureRound(figures, rotate(contenders, round), chosen, settings, round);
    figures.rounds = round + 1;
    if (!isSmoke) writeFigures(path, figures);
  }
  if (isSmoke) return failures;
  say(`\n${formatText(tabulate(readFigures(path)))}\nwritten to ${path}`);
  return failures;
}

/** Every measure is taken from all contenders before the next one begins: what the machine does else hits all alike. */
async function measureRound(
  figures: Figures,
  contenders: readonly Contender[],
  chosen: readonly Measure[],
  settings: Settings,
  round: number,
): Promise<number> {
  let failures = 0;
  const sites = new Map(contenders.map((contender) => [contender.title, new Site(contender)]));
  try {
    for (const measure of chosen) {
      if (measure.per === 'run' && round > 0) continue;
      for (const contender of contenders)
        if (measure.suits(contender)) failures += await measureOne(figures, measure, sites, contender, settings, round);
    }
  } finally {
    for (const site of sites.values()) await site.close();
  }
  return failures;
}

/** @returns 1 if it could not be measured, which is no reason to leave out the rest. */
async function measureOne(
  figures: Figures,
  measure: Measure,
  sites: ReadonlyMap<string, Site>,
  contender: Contender,
  settings: Settings,
  round: number,
): Promise<number> {
  const place = `round ${round + 1}/${settings.rounds}  ${measure.id.padEnd(14)}${contender.title.padEnd(14)}`;
  try {
    const readings = await measure.take(sites.get(contender.title)!, settings);
    addReadings(figures, contender.title, round, readings);
    const values = Object.entries(readings).map(([id, value]) => `${id} ${Number(value.toPrecision(4))}`);
    say(place + values.join('  '));
    return 0;
  } catch (error) {
    say(`${place}failed: ${error instanceof Error ? error.message : String(error)}`);
    return contender.title === SUBJECT ? 1 : 0;
  }
}

/** Who goes first changes from round to round. */
function rotate<T>(list: readonly T[], by: number): T[] {
  const at = by % Math.max(list.length, 1);
  return [...list.slice(at), ...list.slice(0, at)];
}

async function runStages(words: readonly string[]): Promise<number> {
  const command = ['--net', process.execPath, STAGES, ...words];
  const { status, stdout, stderr } = await attempt('unshare', command, { timeoutMs: 120_000 });
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  return status;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
