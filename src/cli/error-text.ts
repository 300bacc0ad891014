import { CONTROL_ERRORS } from '../control/control-errors.js';
import { CORE_ERRORS, type ErrorCode, type ErrorCodes, type WireGuardError } from '../core/errors.js';
import { HOST_ERRORS } from '../host/host-errors.js';
import { CLI_ERRORS } from './cli-errors.js';

/** The advice of all floors. */
export const ADVICE: Readonly<ErrorCodes> = { ...CORE_ERRORS, ...HOST_ERRORS, ...CONTROL_ERRORS, ...CLI_ERRORS };

/** Errors that repeat a misplaced word, which may be a secret key. */
const REPEATS_WORDS: ReadonlySet<ErrorCode> = new Set(['ERR_USAGE', 'ERR_INTERFACE_NAME', 'ERR_CONFIG_FILE']);
const KEY_LIKE = /[A-Za-z0-9+/]{42,43}=/g;

export type ExitStatus = 0 | 1 | 2;

/** Formats an error for the user: what happened, its code, and what to do about it. */
export function formatError(program: string, error: WireGuardError): string {
  const message = REPEATS_WORDS.has(error.code) ? error.message.replace(KEY_LIKE, '(hidden)') : error.message;
  return `${program}: ${message.replace(/\.$/, '')} (${error.code})\n${ADVICE[error.code]}\n`;
}

/** Returns 1 if the user must change something, 2 if the program was called in the wrong way. */
export function exitStatusOf(error: WireGuardError): ExitStatus {
  return error.code === 'ERR_USAGE' ? 2 : 1;
}
