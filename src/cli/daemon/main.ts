import { WireGuardError } from '../../core/errors.js';
import type { CommandIo } from '../command.js';
import { type ExitStatus, exitStatusOf, formatError } from '../error-text.js';
import { formatHelp } from '../format-help.js';
import { createProcessIo } from '../process-io.js';
import { packageVersion } from '../version.js';
import type { SpawnedDaemon } from './background.js';
import { DAEMON_MANUAL } from './daemon-manual.js';
import { type DaemonCall, type DaemonOptions, parseDaemonCall } from './options.js';

/** Runs the process that `bin/wiretyped` is. */
export async function daemonProcess(): Promise<void> {
  process.exitCode = await daemonMain(process.argv.slice(2), createProcessIo({ program: 'wiretyped' }));
}

/** Runs the program `wiretyped`, which serves one interface, in the foreground or in a background process. */
export async function daemonMain(argv: readonly string[], io: CommandIo): Promise<ExitStatus> {
  try {
    return await answer(parseDaemonCall(argv, process.env), io);
  } catch (error) {
    if (!(error instanceof WireGuardError)) throw error; // a bug: let it crash with its stack
    io.writeError(formatError('wiretyped', error));
    return exitStatusOf(error);
  }
}

async function answer(call: DaemonCall, io: CommandIo): Promise<ExitStatus> {
  switch (call.kind) {
    case 'help':
      io.write(formatHelp('wiretyped', DAEMON_MANUAL, io.columns));
      return 0;
    case 'version':
      io.write(`wiretyped ${packageVersion()}\n`);
      return 0;
    case 'run':
      return await (call.options.isForeground ? serve(call.options, io) : leaveToChild(call.options, io));
  }
}

async function leaveToChild(options: DaemonOptions, io: CommandIo): Promise<ExitStatus> {
  const { confinement } = await import('./confinement.js');
  const program = [process.execPath, process.argv[1]!];
  const { configFile } = options;
  const command = [...confinement([...program, ...(configFile === undefined ? [] : [configFile])]), ...program];
  const { child, ready } = await spawn(options, command);
  const failure = await ready;
  child.unref();
  if (failure === undefined) return 0;
  io.writeError(failure);
  return 1;
}

async function spawn(options: DaemonOptions, command: readonly string[]): Promise<SpawnedDaemon> {
  if (options.isSupervised)
    return await (await import('./supervised-daemon.js')).spawnSupervised(options, command, process.env);
  return (await import('./background.js')).spawnDaemon({ ...options, command }, process.env);
}

async function serve(options: DaemonOptions, io: CommandIo): Promise<ExitStatus> {
  const { serveInterface } = await import('./serve-interface.js');
  // The process must end at once, despite a system call that hangs or a log that is not read.
  process.exit(await serveInterface(options, io));
}
