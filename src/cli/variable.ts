import { readFileSync } from 'node:fs';

import { isSystemError } from '../control/system-error.js';
import { WireGuardError } from '../core/errors.js';
import type {} from './cli-errors.js';

/** Sentences for refusals of the system, by their codes. */
const REFUSALS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'there is no such file: check the path, and that the secret is mounted there'],
  ['ENOTDIR', 'there is no such file: a part of the path is no folder'],
  ['EACCES', 'this user may not read the file: check its owner and its mode'],
  ['EISDIR', 'this is a folder: name the file in it'],
]);

export type Environment = Readonly<Record<string, string | undefined>>;

/** The value of a variable, and the place that messages name. */
export interface Variable {
  readonly text: string;
  /** `WIRETYPE_NAME`, or `WIRETYPE_NAME_FILE (PATH)`. */
  readonly label: string;
}

/** The name of the variable of an option. */
export function variableOf(option: string): string {
  return `WIRETYPE_${option.toUpperCase().replaceAll('-', '_')}`;
}

/**
 * Reads a variable of the environment, or the file that the variable with `_FILE` behind its name leads to, as containers get
 * their secrets. An empty variable counts as one that is not set.
 *
 * @returns The value, for a file without the ends of lines behind it; `undefined`: neither is set.
 * @throws {WireGuardError} ERR_VARIABLE: both are set, or the file cannot be read or is empty. The value is never repeated.
 */
export function readVariable(name: string, environment: Environment): Variable | undefined {
  const { text, path } = findVariable(name, environment);
  if (text !== undefined) return { text, label: name };
  if (path === undefined) return undefined;
  const label = `${name}_FILE (${path})`;
  const content = readText(path, label).replace(/[\r\n]+$/, '');
  if (content === '') throw new WireGuardError('ERR_VARIABLE', `${label}: the file is empty`);
  return { text: content, label };
}

/** Finds the value of a variable, or the path in the one with `_FILE`. @throws {WireGuardError} ERR_VARIABLE: both are set. */
export function findVariable(
  name: string,
  environment: Environment,
): { readonly text?: string; readonly path?: string } {
  const text = environment[name] ?? '';
  const path = environment[`${name}_FILE`] ?? '';
  if (text !== '' && path !== '')
    throw new WireGuardError('ERR_VARIABLE', `${name} and ${name}_FILE are both set: only one of them can be`);
  return { ...(text !== '' && { text }), ...(path !== '' && { path }) };
}

function readText(path: string, label: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if (!isSystemError(cause)) throw cause;
    const reason = REFUSALS.get(cause.code) ?? `it cannot be read: ${cause.message.replace(/^[A-Z]+: |, \w+.*$/g, '')}`;
    throw new WireGuardError('ERR_VARIABLE', `${label}: ${reason}`, { cause });
  }
}
