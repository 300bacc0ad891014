import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { WireGuardError } from '../../core/errors.js';
import { READY_DESCRIPTOR_VARIABLE, STATE_DESCRIPTOR_VARIABLE } from './options.js';
import { READY } from './ready-pipe.js';

const READY_DESCRIPTOR = 3;
const TUN_DESCRIPTOR = 4;
const UAPI_DESCRIPTOR = 5;
const STATE_DESCRIPTOR = 6;

export interface DaemonCommand {
  /** The program that runs the daemon, and its first arguments. */
  readonly command: readonly string[];
  readonly interfaceName: string;
  readonly tunDescriptor?: number | undefined;
  readonly uapiDescriptor?: number | undefined;
  readonly stateDescriptor?: number | undefined;
  /** The daemon writes its log to our standard error; else nowhere. */
  readonly isLogWanted: boolean;
}

export interface SpawnedDaemon {
  readonly child: ChildProcess;
  /**
   * Settles with `undefined` when the daemon serves its interface, else with the daemon's error message.
   *
   * @throws {WireGuardError} ERR_DAEMON_START if the daemon ends without a message.
   */
  readonly ready: Promise<string | undefined>;
}

/**
 * Starts a daemon as a process of its own, in a session of its own. It never holds our standard output, which may be
 * read to its end by whoever started us.
 *
 * @throws {WireGuardError} ERR_USAGE for a descriptor that is not open.
 */
export function spawnDaemon(daemon: DaemonCommand, env: NodeJS.ProcessEnv): SpawnedDaemon {
  const { tunDescriptor, uapiDescriptor, stateDescriptor } = daemon;
  const [program, ...args] = daemon.command;
  const log = daemon.isLogWanted ? 'inherit' : 'ignore';
  const descriptors = [tunDescriptor, uapiDescriptor, stateDescriptor].map((descriptor) => descriptor ?? 'ignore');
  const options: SpawnOptions = {
    detached: true,
    cwd: '/',
    env: {
      ...env,
      [READY_DESCRIPTOR_VARIABLE]: String(READY_DESCRIPTOR),
      ...(tunDescriptor === undefined ? {} : { WG_TUN_FD: String(TUN_DESCRIPTOR) }),
      ...(uapiDescriptor === undefined ? {} : { WG_UAPI_FD: String(UAPI_DESCRIPTOR) }),
      ...(stateDescriptor === undefined ? {} : { [STATE_DESCRIPTOR_VARIABLE]: String(STATE_DESCRIPTOR) }),
    },
    stdio: ['ignore', 'ignore', log, 'pipe', ...descriptors],
  };
  try {
    const child = spawn(program!, [...args, '--foreground', daemon.interfaceName], options);
    return { child, ready: readAnswer(child) };
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'EBADF')) throw cause;
    throw new WireGuardError('ERR_USAGE', 'WG_TUN_FD or WG_UAPI_FD is not an open file descriptor', { cause });
  }
}

async function readAnswer(child: ChildProcess): Promise<string | undefined> {
  const end = new Promise<string>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (status, signal) => resolve(signal ?? `status ${status}`));
  });
  end.catch(() => {}); // awaited below, if at all
  const answer = await text(child.stdio[READY_DESCRIPTOR] as Readable);
  if (answer === READY) return undefined;
  if (answer !== '') return answer;
  throw new WireGuardError('ERR_DAEMON_START', `the daemon ended before it was ready (${await end})`);
}
