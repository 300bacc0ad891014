import { WireGuardError } from '../../core/errors.js';
import { ApiError, statusOf } from '../server-errors.js';

/** An error as RFC 9457 has it, with a stable code. */
export interface Problem {
  readonly type: 'about:blank';
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  /** Where in the input, as a path with dots. */
  readonly pointer?: string;
}

/** @returns `undefined` for what is a fault of ours: its text stays here. */
export function problemOf(error: unknown): Problem | undefined {
  if (!(error instanceof ApiError) && !(error instanceof WireGuardError)) return undefined;
  return { type: 'about:blank', status: statusOf(error), code: error.code, detail: error.message };
}

export const INTERNAL_PROBLEM: Problem = {
  type: 'about:blank',
  status: 500,
  code: 'ERR_INTERNAL',
  detail: 'the gateway made a mistake; its log has the reason',
};
