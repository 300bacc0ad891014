import { CONTROL_ERRORS } from '../control/control-errors.js';
import { CORE_ERRORS, type ErrorCode, type ErrorCodes, type WireGuardError } from '../core/errors.js';
import { GATEWAY_ERRORS } from '../gateway/gateway-errors.js';
import { HOST_ERRORS } from '../host/host-errors.js';
import { MESH_ERRORS } from '../mesh/mesh-errors.js';
import { PROXY_ERRORS } from '../proxy/proxy-errors.js';
import { SERVER_ERRORS } from '../server/server-errors.js';
import { STORE_ERRORS } from '../store/store-errors.js';
import { CLI_ERRORS } from './cli-errors.js';

/** The advice of all floors. */
export const ADVICE: Readonly<ErrorCodes> = {
  ...CORE_ERRORS,
  ...HOST_ERRORS,
  ...CONTROL_ERRORS,
  ...PROXY_ERRORS,
  ...GATEWAY_ERRORS,
  ...MESH_ERRORS,
  ...STORE_ERRORS,
  ...SERVER_ERRORS,
  ...CLI_ERRORS,
};

/** Advice for refusals of the system, in place of the advice for a configuration file in general. */
const FILE_ADVICE: ReadonlyMap<unknown, string> = new Map([
  ['ENOENT', 'Check the path. wiretype init makes the file of a new server.'],
  ['ENOSPC', 'Free some space there, and run the command again.'],
  ['EDQUOT', 'Free some space there, or have the quota raised, and run the command again.'],
  ['EROFS', 'Choose another folder, or mount the file system writable.'],
]);

/** Errors that repeat a misplaced word, which may be a secret key. */
const REPEATS_WORDS: ReadonlySet<ErrorCode> = new Set(['ERR_USAGE', 'ERR_INTERFACE_NAME', 'ERR_CONFIG_FILE']);
const KEY_LIKE = /[A-Za-z0-9+/]{42,43}=/g;

export type ExitStatus = 0 | 1 | 2 | 3;

/** Errors after which a second start of the same program fails as the first one did. */
const LASTING: ReadonlyMap<ErrorCode, ExitStatus> = new Map([
  ['ERR_USAGE', 2],
  ['ERR_VARIABLE', 2],
  ['ERR_INVITATION', 3],
]);

/** Formats an error for the user: what happened, its code, and what to do about it. */
export function formatError(program: string, error: WireGuardError): string {
  const message = REPEATS_WORDS.has(error.code) ? error.message.replace(KEY_LIKE, '(hidden)') : error.message;
  return `${program}: ${message.replace(/\.$/, '')} (${error.code})\n${adviceFor(error)}\n`;
}

function adviceFor({ code, cause }: WireGuardError): string {
  const reason = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return (code === 'ERR_CONFIG_FILE' ? FILE_ADVICE.get(reason) : undefined) ?? ADVICE[code];
}

/**
 * Returns 1 if the user must change something, 2 if the program was called in the wrong way, 3 if the host needs a new
 * invitation. A supervisor need not start the program again after 2 and 3.
 */
export function exitStatusOf(error: WireGuardError): ExitStatus {
  return LASTING.get(error.code) ?? 1;
}
