/** An error of the system, as Node reports it. */
export interface SystemError extends Error {
  readonly errno: number;
  /** Its name, such as `EMFILE`. */
  readonly code: string;
}

/**
 * Tests whether the system refused something. In a background task such an error is logged and the task goes on: what is
 * used up or unreachable for now says nothing about the tunnel.
 */
export function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && 'errno' in error && 'code' in error;
}
