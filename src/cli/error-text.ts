import { ERROR_CODES, type WireGuardError } from '../core/errors.js';

export type ExitStatus = 0 | 1 | 2;

/** What a user sees of an error: what happened, its code, and what to do about it. */
export function formatError(program: string, error: WireGuardError): string {
  return `${program}: ${error.message.replace(/\.$/, '')} (${error.code})\n${ERROR_CODES[error.code]}\n`;
}

/** 1: the user has to change something; 2: called in the wrong way. */
export function exitStatusOf(error: WireGuardError): ExitStatus {
  return error.code === 'ERR_USAGE' ? 2 : 1;
}
