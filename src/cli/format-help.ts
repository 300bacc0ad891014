import type { KeywordManual, Manual, OptionManuals } from './manual.js';

const WIDTH = 100;
const INDENT = '  ';

/** A word of a list, and what is said of it. */
export interface Term {
  readonly term: string;
  readonly about: string;
}

/**
 * Writes what `--help` shows.
 *
 * @param name The program, and behind it the command.
 */
export function formatHelp(name: string, manual: Manual): string {
  const usage = `Usage: ${name} ${manual.usage}`.trimEnd();
  const indent = ' '.repeat(`Usage: ${name} `.length);
  const sections = [
    usage.replaceAll('\n', `\n${indent}`),
    formatParagraphs(manual.about),
    formatTerms(listTerms(manual)),
    ...(manual.notes === undefined ? [] : [formatParagraphs(manual.notes)]),
    formatTitled('Environment', formatTerms(listEnvironment(manual))),
    formatTitled(
      manual.examples.length === 1 ? 'Example' : 'Examples',
      manual.examples.map((line) => `${INDENT}${line}`).join('\n'),
    ),
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

/** All that can stand behind the name of the command: words that need a word, keywords, options. */
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

export function listEnvironment({ environment = {} }: Manual): Term[] {
  return Object.entries(environment).map(([term, about]) => ({ term, about }));
}

function toTerm([name, { value, about }]: readonly [string, KeywordManual]): Term {
  return { term: value === undefined ? name : `${name} ${value}`, about };
}

function formatTitled(title: string, body: string): string {
  return body === '' ? '' : `${title}:\n${body}`;
}

function formatParagraphs(text: string): string {
  return splitParagraphs(text)
    .map((paragraph) => wrap(paragraph, WIDTH).join('\n'))
    .join('\n\n');
}

/** @returns The paragraphs, one line each. */
export function splitParagraphs(text: string): string[] {
  return text
    .trim()
    .split(/\n\s*\n/)
    .map((paragraph) => paragraph.replace(/\s+/g, ' '));
}

function formatTerms(terms: readonly Term[]): string {
  const column = Math.max(...terms.map(({ term }) => term.length)) + 2 * INDENT.length;
  const lines = terms.flatMap(({ term, about }) =>
    wrap(about, WIDTH - column).map((line, i) => `${i === 0 ? `${INDENT}${term}` : ''}`.padEnd(column) + line),
  );
  return lines.join('\n');
}

/** Breaks a text between words. A word longer than the width stays whole. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
