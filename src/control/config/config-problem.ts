import { closestWord } from '../closest-word.js';
import { CONFIG_KEYS, lookupKey } from './config-keys.js';
import { type ConfigLine, compact } from './config-line.js';
import { hideKeys, isRestOfKey, printable } from './secret-text.js';

/** One error or doubtful line of a file. */
export interface ConfigProblem {
  readonly severity: 'error' | 'warning';
  /** A description of the fault, one line without secrets. */
  readonly message: string;
  /** The next step, if there is an obvious one. */
  readonly advice?: string;
  /** Counted from 1. */
  readonly line: number;
  /** Counted from 1, in UTF-16 units as editors do. */
  readonly column: number;
  /** The number of faulty characters, at least 1. */
  readonly length: number;
  /** The line with its secrets hidden. */
  readonly shownLine: string;
}

const MAX_SHOWN = 100;

/**
 * Writes a problem for people: file, line and column, the fault, the line itself, and the advice.
 *
 * ```text
 * wg0.conf:3:14: ListenPort: a port is a number from 0 (any free port) to 65535
 *     3 | ListenPort = 99999
 *       |              ^^^^^
 *       Write a port …
 * ```
 */
export function formatProblem(problem: ConfigProblem, fileName: string): string {
  const { line, column, length, severity, message, advice, shownLine } = problem;
  const start = Math.max(0, column - 1 - MAX_SHOWN / 2);
  const shown = shownLine.slice(start, start + MAX_SHOWN);
  const caretAt = Math.min(column - 1 - start, shown.length);
  const carets = '^'.repeat(Math.max(1, Math.min(length, shown.length - caretAt)));
  const margin = ' '.repeat(String(line).length);
  const label = severity === 'warning' ? 'warning: ' : '';
  const rows = [
    `${fileName}:${line}:${column}: ${label}${message}`,
    `    ${line} | ${shown}`,
    `    ${margin} | ${' '.repeat(caretAt)}${carets}`,
  ];
  if (advice !== undefined) rows.push(`    ${margin}   ${advice}`);
  return `${rows.map((row) => row.trimEnd()).join('\n')}\n`;
}

/** Returns the line as it may be shown: secrets hidden, one column per character, nothing that moves the cursor. */
export function showLine(line: ConfigLine): string {
  return printable(hideSecrets(line).replace(/\r?\n$/, ''));
}

function hideSecrets({ kind, raw, key, value, valueAt }: ConfigLine): string {
  const known = kind === 'entry' ? lookupKey(key) : undefined;
  if (known === undefined) return kind === 'entry' && isRestOfKey(key, value) ? '(hidden)' : hideKeys(raw);
  if (known.isSecret) return raw.slice(0, valueAt) + (value === '' ? '' : '(hidden)');
  const end = valueAt + value.length;
  const shown = known.name === 'PublicKey' ? value : hideKeys(value);
  return raw.slice(0, valueAt) + shown + hideKeys(raw.slice(end));
}

/** Finds the known key that an unknown one was probably meant to be. */
export function suggestKey(written: string, section: string): string | undefined {
  const keys = CONFIG_KEYS.filter((key) => key.section.toLowerCase() === section);
  return closestWord(
    compact(written),
    keys.map(({ name }) => name),
  );
}
