import { ERROR_CODES, type ErrorCode, type WireGuardError } from '../core/errors.js';

/** Errors that repeat a word which stands in the wrong place: it may be a secret key. */
const REPEATS_WORDS: ReadonlySet<ErrorCode> = new Set(['ERR_USAGE', 'ERR_INTERFACE_NAME', 'ERR_CONFIG_FILE']);
const KEY_LIKE = /[A-Za-z0-9+/]{42,43}=/g;

export type ExitStatus = 0 | 1 | 2;

/** What a user sees of an error: what happened, its code, and what to do about it. */
export function formatError(program: string, error: WireGuardError): string {
  const message = REPEATS_WORDS.has(error.code) ? error.message.replace(KEY_LIKE, '(hidden)') : error.message;
  return `${program}: ${message.replace(/\.$/, '')} (${error.code})\n${ERROR_CODES[error.code]}\n`;
}

/** 1: the user has to change something; 2: called in the wrong way. */
export function exitStatusOf(error: WireGuardError): ExitStatus {
  return error.code === 'ERR_USAGE' ? 2 : 1;
}
