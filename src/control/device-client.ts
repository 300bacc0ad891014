import type { DeviceChange } from '../core/configuration.js';
import type { DeviceState } from './device-control.js';
import type { ReceivedExplanation } from './uapi-explain-text.js';

/** A running device of either kind: the control socket of a daemon, or the kernel's own WireGuard. */
export interface DeviceClient {
  /** @returns A copy of the device's state. The caller clears its secret keys. @throws {WireGuardError} */
  get(): Promise<DeviceState>;
  /** Applies a change. The keys in it stay the caller's. @throws {WireGuardError} The system's number is the `cause`. */
  set(change: DeviceChange): Promise<void>;
  /** @returns Reasons and counts of drops; `undefined` where nothing reports them. @throws {WireGuardError} */
  explain(): Promise<ReceivedExplanation | undefined>;
}
