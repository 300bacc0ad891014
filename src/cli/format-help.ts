import type { KeywordManual, Manual, OptionManuals, Settings } from './manual.js';
import { variableOf } from './variable.js';

/** Longer lines are hard to read, even where the terminal has room for them. */
const MAX_WIDTH = 100;
const MIN_WIDTH = 40;
const MIN_ABOUT_WIDTH = 24;
const INDENT = '  ';

/** A word of a list, and its description. */
export interface Term {
  readonly term: string;
  readonly about: string;
}

/**
 * Writes the text of `--help`.
 *
 * @param name The program, followed by the command.
 * @param columns Width of the terminal; `undefined` where there is none.
 */
export function formatHelp(name: string, manual: Manual, columns = MAX_WIDTH): string {
  const width = Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, columns));
  const sections = [
    formatUsage(name, manual.usage, width),
    formatParagraphs(manual.about, width),
    formatTerms(listTerms(manual), width),
    ...(manual.notes === undefined ? [] : [formatParagraphs(manual.notes, width)]),
    formatTitled('Environment', formatTerms(listEnvironment(manual), width)),
    formatTitled(
      manual.examples.length === 1 ? 'Example' : 'Examples',
      manual.examples.map((line) => `${INDENT}${line}`).join('\n'),
    ),
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

/** Lists everything that may follow the name of the command: words that need a word, keywords, options. */
export function listTerms({ words, keywords, options }: Manual): Term[] {
  return [
    ...words.flatMap(({ name, about }) => (about === undefined ? [] : [{ term: name, about }])),
    ...Object.entries({ ...keywords?.interface, ...keywords?.peer }).map(toTerm),
    ...listOptions(options),
  ];
}

export function listOptions(options: OptionManuals): Term[] {
  return Object.entries(options).map(([name, option]) => {
    const short = option.short === undefined ? '' : `-${option.short}, `;
    return toTerm([`${short}--${name}`, option]);
  });
}

export function listEnvironment({ environment = {}, settings }: Manual): Term[] {
  const others = Object.entries(environment).map(([term, about]) => ({ term, about }));
  return settings === undefined ? others : [...listSettings(settings), ...others];
}

/** One rule for all options that variables set: a line for each would say the same over and over. */
function listSettings({ actions, options, always = [] }: Settings): Term[] {
  const where = actions === undefined ? '' : ` of ${actions.join(' and ')}`;
  const others = always.map((name) => `, and --${name} everywhere`).join('');
  return [
    {
      term: 'WIRETYPE_OPTION',
      about: `sets --OPTION${where}${others}, where the command line does not: ${exampleOf(options)}. Several values have spaces or commas between them; a flag is 1 or 0`,
    },
    {
      term: 'WIRETYPE_OPTION_FILE',
      about: 'the path of a file that holds the value; or of the file itself, where the option takes one',
    },
  ];
}

function exampleOf(options: readonly string[]): string {
  const option = options.find((name) => /-(?!file)/.test(name)) ?? options[0]!;
  return `${variableOf(option)} for --${option}`;
}

function toTerm([name, { value, about }]: readonly [string, KeywordManual]): Term {
  return { term: value === undefined ? name : `${name} ${value}`, about };
}

function formatTitled(title: string, body: string): string {
  return body === '' ? '' : `${title}:\n${body}`;
}

/** Formats the usage, whose lines are broken between options, never inside brackets. */
function formatUsage(name: string, usage: string, width: number): string {
  const head = `Usage: ${name} `;
  const lines = usage.split('\n').flatMap((line) => wrapUnits(splitUnits(line), width - head.length));
  return lines.map((line, i) => `${i === 0 ? head : ' '.repeat(head.length)}${line}`.trimEnd()).join('\n');
}

/** Splits at spaces outside brackets. */
function splitUnits(line: string): string[] {
  const units: string[] = [];
  let depth = 0;
  for (const word of line.split(' ')) {
    if (depth > 0) units.push(`${units.pop()} ${word}`);
    else units.push(word);
    depth += word.split(/[[{]/).length - word.split(/[\]}]/).length;
  }
  return units;
}

function formatParagraphs(text: string, width: number): string {
  return splitParagraphs(text)
    .map((paragraph) => wrap(paragraph, width).join('\n'))
    .join('\n\n');
}

/** @returns The paragraphs, one line each. */
export function splitParagraphs(text: string): string[] {
  return text
    .trim()
    .split(/\n\s*\n/)
    .map((paragraph) => paragraph.replace(/\s+/g, ' '));
}

function formatTerms(terms: readonly Term[], width: number): string {
  const column = Math.max(...terms.map(({ term }) => term.length)) + 2 * INDENT.length;
  const lines = terms.flatMap(({ term, about }) =>
    wrap(about, Math.max(width - column, MIN_ABOUT_WIDTH)).map(
      (line, i) => `${i === 0 ? `${INDENT}${term}` : ''}`.padEnd(column) + line,
    ),
  );
  return lines.join('\n');
}

/** Breaks a text between words. A word longer than the width stays whole. */
export function wrap(text: string, width: number): string[] {
  return wrapUnits(text.split(' '), width);
}

function wrapUnits(units: readonly string[], width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of units) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
