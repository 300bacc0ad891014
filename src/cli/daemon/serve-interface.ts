import { WireGuardError } from '../../core/errors.js';
import type { CommandIo } from '../command.js';
import { type ExitStatus, exitStatusOf, formatError } from '../error-text.js';
import { standardError } from '../output-stream.js';
import { denySystemCalls, hardenProcess } from './hardening.js';
import { Log } from './log.js';
import { logWriter } from './log-writer.js';
import { requireAddon } from './native-parts.js';
import type { DaemonOptions } from './options.js';
import { setUpProcess } from './process-setup.js';
import { ReadyPipe } from './ready-pipe.js';
import { SavedState } from './saved-state.js';
import { TunnelProcess } from './tunnel-process.js';

const INTERRUPTED = Symbol('interrupted');

/**
 * Serves one interface until a signal or the end of the interface. The ready pipe, if there is one, receives the result
 * of the start.
 *
 * @returns The exit status. The caller ends the process with it: work that hangs in the system must not keep it alive.
 */
export async function serveInterface(options: DaemonOptions, io: CommandIo): Promise<ExitStatus> {
  setUpProcess(options.interfaceName);
  const log = new Log(options.logLevel, options.interfaceName, logWriter(standardError));
  const interrupted = signalled(io.interruption());
  const pipe = new ReadyPipe(options.readyDescriptor);

  let tunnel: TunnelProcess | typeof INTERRUPTED;
  try {
    const addon = requireAddon();
    hardenProcess(addon, log);
    tunnel = await Promise.race([TunnelProcess.start(addon, options, log), interrupted]);
    if (tunnel === INTERRUPTED) return 0; // everything that was opened goes with the process
    if (options.isHardened) denySystemCalls(addon, log);
  } catch (error) {
    if (hasLostInterface(options, error)) return 0;
    return reportFailure(error, pipe, io);
  }
  log.info('ready');
  pipe.ready();

  const reason = await Promise.race([tunnel.ended, interrupted]);
  log.info(`ending: ${reason === INTERRUPTED ? 'a signal was received' : reason}`);
  tunnel.close();
  return 0;
}

/** Tests whether the interface was deleted while no daemon ran, which would have ended the previous daemon. */
function hasLostInterface({ stateDescriptor }: DaemonOptions, error: unknown): boolean {
  if (stateDescriptor === undefined || !(error instanceof WireGuardError)) return false;
  return error.code === 'ERR_TUN_DESCRIPTOR' && new SavedState(stateDescriptor).isWritten;
}

/** Reports to the user, through the parent if there is one. A bug is reported with its stack, and crashes the process. */
function reportFailure(error: unknown, pipe: ReadyPipe, io: CommandIo): ExitStatus {
  if (!(error instanceof WireGuardError)) {
    pipe.failed(`wiretyped: ${error instanceof Error ? error.stack : String(error)}\n`);
    throw error;
  }
  const message = formatError('wiretyped', error);
  if (pipe.isOpen) pipe.failed(message);
  else io.writeError(message);
  return exitStatusOf(error);
}

function signalled(interruption: AbortSignal): Promise<typeof INTERRUPTED> {
  return new Promise((resolve) => {
    const settle = () => resolve(INTERRUPTED);
    if (interruption.aborted) settle();
    else interruption.addEventListener('abort', settle, { once: true });
  });
}
