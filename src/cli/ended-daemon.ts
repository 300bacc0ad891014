import { isSystemError } from '../control/system-error.js';
import { WireGuardError } from '../core/errors.js';
import { TunnelRecords } from '../host/net/tunnel-record.js';

/**
 * Turns "nobody answers" into "the daemon has ended" where `up` set the interface up and nobody took it down.
 *
 * @param error Of the way to the daemon; other errors are returned as they are.
 */
export function explainEndedDaemon(interfaceName: string, error: unknown): unknown {
  if (!(error instanceof WireGuardError) || error.code !== 'ERR_CONTROL_UNREACHABLE') return error;
  if (!isRecorded(interfaceName)) return error;
  return new WireGuardError('ERR_DAEMON_ENDED', `the daemon of ${interfaceName} has ended`, { cause: error });
}

function isRecorded(interfaceName: string): boolean {
  try {
    return new TunnelRecords().read(interfaceName) !== undefined;
  } catch (error) {
    if (isSystemError(error)) return false; // the records are for root
    throw error;
  }
}
