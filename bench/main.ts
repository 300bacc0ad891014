/** The benchmarks: measures several implementations in turn, in network namespaces of their own. */
import { findContenders } from './contender.js';
import { defaultPath, writeFigures } from './figures.js';
import { formatText } from './format.js';
import type { Measure } from './measure.js';
import { type Options, parseOptions, USAGE } from './options.js';
import { renderDocuments } from './render.js';
import { describeRun } from './run.js';
import { Session } from './session.js';
import { measureStages, tabulateStages } from './stages.js';
import { type Suite, suites } from './suites.js';
import { tabulate } from './table.js';

/** @returns The exit status: 0, or 1 when something could not be measured. */
export async function main(words: readonly string[]): Promise<number> {
  try {
    return await act(parseOptions(words), describeCommand(words));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    process.stderr.write(`bench: ${error.message}\nTry: npm run bench -- --help\n`);
    return 1;
  }
}

async function act(options: Options, command: string): Promise<number> {
  switch (options.action) {
    case 'help':
      say(USAGE);
      return 0;
    case 'list':
      for (const { quantities } of chooseMeasures(options))
        for (const { id, title } of quantities) say(`${id.padEnd(24)}${title}\n`);
      return 0;
    case 'render':
      renderDocuments(options.files);
      return 0;
  }
  if (process.getuid?.() !== 0) {
    process.stderr.write('bench: network namespaces need root.\n');
    return 1;
  }
  switch (options.action) {
    case 'measure':
      return await measure(options, command);
    case 'stages':
      return await takeStages(options, command);
    case 'smoke':
      return await smoke(options);
  }
}

async function measure(options: Options, command: string): Promise<number> {
  const path = options.out ?? defaultPath();
  const contenders = await findContenders(options, suiteOf(options).candidates(options));
  const run = await describeRun(command, options.settings.seconds, contenders);
  const session = new Session(chooseMeasures(options), contenders, options.settings);
  const failures = await session.run(run, (figures) => writeFigures(path, figures));
  say(`\n${formatText(tabulate(session.figures(run)))}\nwritten to ${path}\n`);
  return failures.some(({ isOurs }) => isOurs) ? 1 : 0;
}

async function takeStages({ out }: Options, command: string): Promise<number> {
  const path = out ?? defaultPath();
  const stages = await measureStages();
  writeFigures(path, { runs: [await describeRun(command, 0, [])], rows: [], stages: { run: 0, ...stages } });
  say(`${formatText(tabulateStages(stages))}\nwritten to ${path}\n`);
  return 0;
}

/** Requires that every requested contender comes up and every measure returns numbers, of any value. */
async function smoke(options: Options): Promise<number> {
  const contenders = await findContenders(options, suiteOf(options).candidates(options));
  const run = await describeRun('--smoke', options.settings.seconds, contenders);
  const failures = await new Session(chooseMeasures(options), contenders, options.settings).run(run);
  await measureStages(['--brief']);
  if (failures.length > 0) say(`${failures.length} failed\n`);
  return failures.length === 0 ? 0 : 1;
}

function suiteOf({ suite }: Options): Suite {
  return suites[suite];
}

function chooseMeasures(options: Options): Measure[] {
  const { only, settings } = options;
  const { measures } = suiteOf(options);
  const isNamed = (id: string): boolean => only.some((name) => id.startsWith(name));
  if (only.length === 0) return measures.filter(({ isLong }) => settings.hasLongMeasures || isLong !== true);
  const chosen = measures.filter(({ id, quantities }) => isNamed(id) || quantities.some((each) => isNamed(each.id)));
  if (chosen.length === 0) throw new TypeError(`no measure begins with ${only.join(' or ')}: see --list`);
  return chosen;
}

/** Removes the options for the output, which are not circumstances of the run. */
function describeCommand(words: readonly string[]): string {
  const said = words.filter((word, index) => !word.startsWith('--out') && words[index - 1] !== '--out');
  return ['npm run bench', ...(said.length > 0 ? ['--', ...said] : [])].join(' ');
}

function say(text: string): void {
  process.stdout.write(text);
}
