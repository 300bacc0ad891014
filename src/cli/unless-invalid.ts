import { WireGuardError } from '../core/errors.js';

/** Returns the result of `read`, or `undefined` if its input is invalid, for commands that repair nothing. */
export function unlessInvalid<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof WireGuardError) return undefined;
    throw error;
  }
}
