import { type ParseArgsConfig, parseArgs } from 'node:util';

import { closestWord } from '../../control/closest-word.js';
import { WireGuardError } from '../../core/errors.js';
import type { WordManual } from '../manual.js';

type Options = NonNullable<ParseArgsConfig['options']>;
type Parsed<T extends Options> = ReturnType<
  typeof parseArgs<{ args: string[]; options: T; allowPositionals: true; strict: true }>
>;

/**
 * Reads the options of a command and the words between them.
 *
 * @param count The least and the greatest number of words.
 * @param words Name the words, for messages.
 * @throws {WireGuardError} ERR_USAGE
 */
export function parseOptions<const T extends Options>(
  args: readonly string[],
  options: T,
  count: readonly [least: number, most: number],
  words: readonly WordManual[] = [],
): Parsed<T> {
  const parsed = parseStrictly(args, options);
  const [least, most] = count;
  const { positionals } = parsed;
  if (positionals.length < least) {
    const missing = words.slice(positionals.length, least).map(({ name }) => name);
    throw new WireGuardError('ERR_USAGE', `${missing.join(' and ') || 'an argument'} is missing`);
  }
  if (positionals.length > most) {
    throw new WireGuardError('ERR_USAGE', `${JSON.stringify(positionals[most])} is one argument too many`);
  }
  return parsed;
}

function parseStrictly<const T extends Options>(args: readonly string[], options: T): Parsed<T> {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new WireGuardError('ERR_USAGE', explainOptions(error.message, Object.keys(options)), { cause: error });
  }
}

/** Explains an error of `parseArgs`. @param message The text of that error. */
function explainOptions(message: string, names: readonly string[]): string {
  const unknown = /^Unknown option '(--?([^']*))'/.exec(message);
  if (unknown === null) return message.split('. ', 1)[0]!;
  const closest = closestWord(unknown[2]!, names);
  return `there is no option ${unknown[1]}${closest === undefined ? '' : `: did you mean --${closest}?`}`;
}
