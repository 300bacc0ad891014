/** Options that come from the environment: `WIRETYPE_NAME` for `--name`, or `WIRETYPE_NAME_FILE` for a file with its value. */
import { parseArgs } from 'node:util';

import { quote } from '../control/config/secret-text.js';
import { WireGuardError } from '../core/errors.js';
import type { Manual, OptionManual } from './manual.js';
import { type Environment, findVariable, readVariable, type Variable, variableOf } from './variable.js';

const TRUE = ['1', 'true', 'yes'];
const FALSE = ['0', 'false', 'no'];
/** Kubernetes and Docker links tell a container of a Service named `wiretype` by `WIRETYPE_PORT=tcp://10.0.0.1:80`. */
const SERVICE_LINK = /^(?:tcp|udp|sctp):\/\/[0-9a-fA-F.:[\]]+$/;

/** An option that was taken from the environment, and where its values came from. */
interface Origin {
  readonly option: string;
  readonly short?: string | undefined;
  readonly label: string;
  readonly values: readonly string[];
}

/** A command line, completed by the environment. */
export interface CompletedLine {
  readonly args: readonly string[];
  /** Returns an error about an option as one about its variable, whose value is not repeated. */
  explain(error: WireGuardError): WireGuardError;
}

/**
 * Puts the options of the environment in front of a command line, as far as the manual lets variables set them. An option that
 * the command line names is left to it.
 *
 * @throws {WireGuardError} ERR_VARIABLE
 */
export function completeLine(args: readonly string[], manual: Manual, environment: Environment): CompletedLine {
  const { values, positionals } = parseArgs({ args: [...args], options: manual.options, strict: false });
  const names = settableOptions(manual, positionals[0]).filter((name) => values[name] === undefined);
  const origins = names.flatMap((name) => originOf(name, manual.options[name]!, environment));
  return {
    args: [...origins.flatMap((origin) => wordsOf(origin, manual.options[origin.option]!)), ...args],
    explain: (error) => explain(error, origins),
  };
}

/** Splits the values of an option that may be given several times. @param hasSpaces Only commas and ends of lines separate them. */
export function splitValues(text: string, hasSpaces = false): string[] {
  return text
    .split(hasSpaces ? /[,\r\n]+/ : /[,\s]+/)
    .map((value) => value.trim())
    .filter((value) => value !== '');
}

function settableOptions({ settings }: Manual, action: string | undefined): readonly string[] {
  if (settings === undefined) return [];
  const { actions, options, always = [] } = settings;
  const isService = actions === undefined || actions.includes(action ?? actions[0]!);
  return isService ? [...always, ...options] : always;
}

function originOf(option: string, manual: OptionManual, environment: Environment): Origin[] {
  const variable = readOption(option, manual, environment);
  if (variable === undefined) return [];
  const { text, label } = variable;
  if (SERVICE_LINK.test(text)) {
    const advice = 'set enableServiceLinks: false in the pod, or give the Service another name';
    throw invalid(label, `this is no value, but what Kubernetes says of a Service of that name: ${advice}`);
  }
  const values = manual.multiple === true ? splitValues(text, manual.hasSpaces) : [text];
  return [{ option, short: manual.short, label, values }];
}

/** An option that takes a file is given the file itself: `WIRETYPE_TLS_KEY_FILE` holds the key, not the path of the key. */
function readOption(option: string, { kinds }: OptionManual, environment: Environment): Variable | undefined {
  const name = variableOf(option);
  if (kinds?.includes('file') !== true) return readVariable(name, environment);
  const base = name.replace(/_FILE$/, '');
  const { text, path } = findVariable(base, environment);
  if (path !== undefined) return { text: path, label: `${base}_FILE` };
  // The variable without _FILE would be the password, for an option such as --password-file.
  return text === undefined || base !== name ? undefined : { text, label: name };
}

function wordsOf({ option, label, values }: Origin, { type }: OptionManual): string[] {
  if (type === 'string') return values.map((value) => `--${option}=${value}`);
  const word = values[0]!.trim().toLowerCase();
  if (TRUE.includes(word)) return [`--${option}`];
  if (FALSE.includes(word)) return [];
  throw invalid(label, 'a flag is 1, true or yes, or else 0, false or no');
}

function explain(error: WireGuardError, origins: readonly Origin[]): WireGuardError {
  const message = origins.reduce(nameVariable, error.message);
  return message === error.message ? error : new WireGuardError(error.code, message, { cause: error.cause });
}

/** Puts the name of a variable in place of its option and of the value that follows it. */
function nameVariable(message: string, { option, short, label, values }: Origin): string {
  const names = short === undefined ? `--${option}` : `(?:--${option}|-${short})`;
  const found = new RegExp(`(?<![\\w-])${names}(?![\\w-])`).exec(message);
  if (found === null) return message;
  const rest = message.slice(found.index + found[0].length);
  const at = values.findIndex((value) => endOfValue(rest, value) > 0);
  const place = at >= 0 && values.length > 1 ? `${label}, value ${at + 1}` : label;
  return message.slice(0, found.index) + place + rest.slice(at < 0 ? 0 : endOfValue(rest, values[at]!));
}

/** @returns The length of a value at the beginning of a text, as parsers repeat it; 0: it is not there. */
function endOfValue(rest: string, value: string): number {
  const shown = [` ${value}`, ` ${quote(value)}`].find((words) => rest.startsWith(`${words}:`));
  return shown?.length ?? 0;
}

function invalid(label: string, problem: string): WireGuardError {
  return new WireGuardError('ERR_VARIABLE', `${label}: ${problem}`);
}
