import { type ErrorCode, WireGuardError } from '../core/errors.js';
import { REPLY_LIMIT_MS } from './uapi-exchange.js';

interface Reason {
  readonly code: ErrorCode;
  readonly text: string;
}

const NO_DAEMON: Reason = { code: 'ERR_CONTROL_UNREACHABLE', text: 'no daemon answers for this interface' };
const FORBIDDEN: Reason = { code: 'ERR_NOT_ROOT', text: 'only root may talk to its daemon' };

/** Errors of the system on the way to a daemon. */
const REASONS: ReadonlyMap<string, Reason> = new Map([
  ['ENOENT', NO_DAEMON],
  ['ENOTDIR', NO_DAEMON],
  ['ECONNREFUSED', NO_DAEMON],
  ['ENODEV', NO_DAEMON],
  ['EPROTONOSUPPORT', NO_DAEMON],
  ['EPERM', FORBIDDEN],
  ['EACCES', FORBIDDEN],
  [
    'ETIMEDOUT',
    { code: 'ERR_CONTROL_TIMEOUT', text: `its daemon has not answered within ${REPLY_LIMIT_MS / 1_000} s` },
  ],
]);

/** Returns the message for an error of the system, by its code such as `ENOENT`. */
export function unreachable(
  interfaceName: string,
  code: string,
  message: string,
  options: ErrorOptions,
): WireGuardError {
  const reason = REASONS.get(code) ?? { code: 'ERR_CONTROL_UNREACHABLE', text: message };
  return new WireGuardError(reason.code, `${interfaceName}: ${reason.text}`, options);
}

/** Turns an error of the system into one that users understand; any other error is returned unchanged. */
export function toUnreachable(interfaceName: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return error;
  return unreachable(interfaceName, String(error.code), error.message, { cause: error });
}
