import { setFlagsFromString } from 'node:v8';
import { WireGuardError } from '../../core/errors.js';
import type { CommandIo } from '../command.js';
import { type ExitStatus, exitStatusOf, formatError } from '../error-text.js';
import { Log } from './log.js';
import type { DaemonOptions } from './options.js';
import { ReadyPipe } from './ready-pipe.js';
import { TunnelProcess } from './tunnel-process.js';

/** Set by `wiretype up`: the file of the interface. */
const CONFIG_FILE_VARIABLE = 'WIRETYPE_CONFIG_FILE';

/** Serves one interface until it is told to end. Says so first on the ready pipe, if somebody waits there. */
export async function serveInterface(options: DaemonOptions, io: CommandIo): Promise<ExitStatus> {
  const log = new Log(options.logLevel, options.interfaceName, (line) => io.writeError(line));
  const pipe = new ReadyPipe(options.readyDescriptor);
  process.title = `wiretyped ${options.interfaceName}`;
  process.on('SIGUSR1', () => {}); // else Node opens its debugger, and with it our keys, to every local user
  const interruption = io.interruption();
  keepHeapSmall();

  let tunnel: TunnelProcess;
  try {
    tunnel = await TunnelProcess.start(options, log);
  } catch (error) {
    return reportFailure(error, pipe, io);
  }
  const configFile = process.env[CONFIG_FILE_VARIABLE];
  if (configFile !== undefined) await tunnel.followNames(configFile);
  log.info('ready');
  pipe.ready();

  const reason = await Promise.race([tunnel.ended, signalled(interruption)]);
  log.info(`ending: ${reason}`);
  tunnel.close();
  return 0;
}

/**
 * Keeps V8's space for new objects at the megabyte that it starts with. It would grow to 32 MB with the first large
 * `set`, and never shrink; packets make no objects, so that there is nothing to be gained from it.
 */
function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

/** Tells the user through the parent, if there is one. A bug goes there with its stack, and on to the crash. */
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

function signalled(interruption: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    const tell = () => resolve('it was told to');
    if (interruption.aborted) tell();
    else interruption.addEventListener('abort', tell, { once: true });
  });
}
