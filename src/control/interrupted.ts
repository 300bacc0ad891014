import { WireGuardError } from '../core/errors.js';

/** @throws {WireGuardError} ERR_INTERRUPTED, with the signal's reason, once the user has interrupted the work. */
export function throwIfInterrupted(interruption: AbortSignal): void {
  if (interruption.aborted) throw new WireGuardError('ERR_INTERRUPTED', `interrupted by ${interruption.reason}`);
}
