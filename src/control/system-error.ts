/** An error of the system, as Node reports it. */
export interface SystemError extends Error {
  readonly errno: number;
  /** The name of the error, such as `EMFILE`. */
  readonly code: string;
}

/**
 * Tests whether the system refused something. A background task logs such an error and goes on: a
 * resource that is exhausted or unreachable for now has no bearing on the tunnel.
 */
export function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && 'errno' in error && 'code' in error;
}
