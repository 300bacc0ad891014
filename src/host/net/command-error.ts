import { WireGuardError } from '../../core/errors.js';

/** The outcome of a program that failed, as the `cause` of an error. */
export class ProgramFailure extends Error {
  override readonly name = 'ProgramFailure';
  /** Exit status; 128 + N after signal N. */
  readonly status: number;

  constructor(program: string, status: number) {
    super(`${program} ended with status ${status}`);
    this.status = status;
  }
}

/** @returns The exit status of the program behind an error; `undefined` if no program caused the error. */
export function programStatus(error: unknown): number | undefined {
  if (error instanceof ProgramFailure) return error.status;
  return error instanceof Error && error.cause !== undefined ? programStatus(error.cause) : undefined;
}

/** @returns Whether a program of the system failed or is missing. */
export function isCommandError(error: unknown): error is WireGuardError {
  return (
    error instanceof WireGuardError && (error.code === 'ERR_COMMAND_FAILED' || error.code === 'ERR_COMMAND_MISSING')
  );
}
