import { WireGuardError } from '../core/errors.js';

/** @throws {WireGuardError} ERR_INTERRUPTED once the user has interrupted the work. The message contains the reason of the signal. */
export function throwIfInterrupted(interruption: AbortSignal): void {
  if (interruption.aborted) throw new WireGuardError('ERR_INTERRUPTED', `interrupted by ${interruption.reason}`);
}
