import { getSystemErrorName } from 'node:util';
import { unreachable } from '../../control/unreachable.js';
import { WireGuardError } from '../../core/errors.js';
import { systemMessage } from '../wg/system-errors.js';
import { SystemFailure, WgFailure } from '../wg/wg-context.js';
import { absentInterface } from './absent-interface.js';

const ENODEV = 19;
const ENAMETOOLONG = 36;
const EPROTO = 71;
const EPROTONOSUPPORT = 93;
const EADDRINUSE = 98;

/** Turns a failure into an error for users; an error of another kind is returned as it is. */
export function explain(name: string, error: unknown): unknown {
  if (error instanceof SystemFailure) return explainSystem(name, error);
  if (!(error instanceof WgFailure)) return error;
  if (error.cause instanceof SystemFailure) return explainSystem(name, error.cause);
  return new WireGuardError('ERR_USAGE', error.message.split('\n', 1)[0]!, { cause: error });
}

function explainSystem(name: string, failure: SystemFailure): WireGuardError {
  const { errno, isDaemons } = failure;
  const options = { cause: failure };
  if (isDaemons) {
    const code = errno === EADDRINUSE ? 'ERR_PORT_IN_USE' : 'ERR_CONTROL_REFUSED';
    return new WireGuardError(code, `${name}: the daemon refuses: ${systemMessage(errno)}`, options);
  }
  if (errno === ENODEV || errno === EPROTONOSUPPORT) return absentInterface(name, failure);
  if (failure.cause instanceof WireGuardError) return failure.cause; // from the kernel's own WireGuard
  if (errno === ENAMETOOLONG)
    return new WireGuardError('ERR_INTERFACE_NAME', `${name}: this name is too long`, options);
  if (errno === EPROTO) return new WireGuardError('ERR_CONTROL_REPLY', `${name}: ${failure.message}`, options);
  return unreachable(name, getSystemErrorName(-errno), systemMessage(errno), options);
}
