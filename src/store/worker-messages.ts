import { type ErrorCode, WireGuardError } from '../core/errors.js';
import type { StoreOperation } from './store-operations.js';

/** Id of the reply that says how opening went. Requests count from 1. */
export const OPEN_ID = 0;
/** The last request: the thread ends after it, without a reply. */
export const CLOSE = 'close';

export interface Request {
  readonly id: number;
  readonly operation: StoreOperation | typeof CLOSE;
  readonly args: readonly unknown[];
}

export type Reply =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: PortableError };

/** An error on its way between threads: copies of errors lose their class and their code. */
export interface PortableError {
  readonly code?: ErrorCode;
  readonly message: string;
  readonly stack?: string;
}

export function portableError(error: unknown): PortableError {
  if (error instanceof WireGuardError) return { code: error.code, message: error.message };
  if (!(error instanceof Error)) return { message: String(error) };
  return { message: error.message, ...(error.stack === undefined ? {} : { stack: error.stack }) };
}

export function errorOf({ code, message, stack }: PortableError): Error {
  if (code !== undefined) return new WireGuardError(code, message);
  const error = new Error(message);
  if (stack !== undefined) error.stack = stack;
  return error;
}
