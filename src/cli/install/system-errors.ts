import { systemWords } from '../../control/config/config-file.js';
import { WireGuardError } from '../../core/errors.js';

/** Runs work on system files. @throws {WireGuardError} ERR_NOT_ROOT, ERR_INSTALL in place of system errors. */
export function withSystemErrors<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Error) || !('syscall' in error)) throw error;
    const path = 'path' in error ? `${String(error.path)}: ` : '';
    const isRefused = 'code' in error && (error.code === 'EACCES' || error.code === 'EPERM');
    const code = isRefused && process.getuid?.() !== 0 ? 'ERR_NOT_ROOT' : 'ERR_INSTALL';
    throw new WireGuardError(code, `${path}${systemWords(error)}`, { cause: error });
  }
}
