import { WireGuardError } from '../../core/errors.js';

/** @returns Whether a program of the system refused or is not there. */
export function isCommandError(error: unknown): error is WireGuardError {
  return (
    error instanceof WireGuardError && (error.code === 'ERR_COMMAND_FAILED' || error.code === 'ERR_COMMAND_MISSING')
  );
}
