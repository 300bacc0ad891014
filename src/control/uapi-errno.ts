import type { ErrorCode } from '../core/errors.js';

/**
 * The error numbers of Linux in answers of the configuration protocol.
 *
 * `wg` shows the system's text for `-errno` after a `set` and for `errno` after a `get`, so `set` is
 * refused with the negative number and `get` with the positive one.
 */
export const Errno = {
  Success: 0,
  NotPermitted: 1,
  Io: 5,
  Invalid: 22,
  /** A line that has no "=". */
  Protocol: 71,
  TooLong: 90,
  AddressInUse: 98,
} as const;
export type Errno = (typeof Errno)[keyof typeof Errno];

/** Why a request was refused. `reason` never repeats a value: it may be a secret. */
export interface UapiRefusal {
  readonly errno: Errno;
  /** The key of the line, or "" for the request as a whole. */
  readonly key: string;
  readonly reason: string;
}

const ERRNO_OF_CODE: Partial<Record<ErrorCode, Errno>> = {
  ERR_PORT_IN_USE: Errno.AddressInUse,
  ERR_SOCKET_MARK: Errno.NotPermitted,
  ERR_TOO_MANY_PEERS: Errno.Invalid,
};

/** Returns the errno that the client receives for an error of `DeviceControl.apply`. */
export function errnoOf(code: ErrorCode): Errno {
  return ERRNO_OF_CODE[code] ?? Errno.Io;
}
