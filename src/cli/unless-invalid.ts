import { WireGuardError } from '../core/errors.js';

/** What `read` gives, or `undefined` where what it reads is wrong: for those who show what can be known, and repair nothing. */
export function unlessInvalid<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof WireGuardError) return undefined;
    throw error;
  }
}
