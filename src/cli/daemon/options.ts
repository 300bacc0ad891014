import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { WireGuardError } from '../../core/errors.js';
import { DAEMON_OPTIONS } from './daemon-manual.js';
import { type LogLevel, parseLogLevel } from './log.js';

/** The arguments and the environment of `wiretyped`, together. */
export interface DaemonOptions {
  readonly interfaceName: string;
  readonly isForeground: boolean;
  /** An open TUN interface to take over (`WG_TUN_FD`). */
  readonly tunDescriptor: number | undefined;
  /** A listening control socket to take over (`WG_UAPI_FD`). */
  readonly uapiDescriptor: number | undefined;
  /** Threads that encrypt and decrypt, the loop's own included (`WIRETYPE_CRYPTO_THREADS`). */
  readonly cryptoThreads: number;
  /** TSO, USO, GSO and GRO where the kernel supports them; else one packet per system call (`WIRETYPE_OFFLOADS`). */
  readonly isOffloading: boolean;
  readonly logLevel: LogLevel;
  /** `LOG_LEVEL` is set: standard error of a daemon in the background stays open. */
  readonly isLogWanted: boolean;
  /** The pipe on which a daemon in the background reports to its parent that it is ready. */
  readonly readyDescriptor: number | undefined;
  /** The file that keeps the configuration for the next daemon, in case this one dies. */
  readonly stateDescriptor: number | undefined;
  /** A daemon in the background is restarted when it dies (`WIRETYPE_SUPERVISE`, which `wiretype up` sets). */
  readonly isSupervised: boolean;
  /** The file that `wiretype up` sets the interface up from (`WIRETYPE_CONFIG_FILE`). */
  readonly configFile: string | undefined;
  /** System calls that no tunnel needs are denied after the start (`WIRETYPE_SECCOMP`). */
  readonly isHardened: boolean;
}

export type DaemonCall =
  | { readonly kind: 'run'; readonly options: DaemonOptions }
  | { readonly kind: 'help' | 'version' };

/** The variable that the parent sets for its background process. */
export const READY_DESCRIPTOR_VARIABLE = 'WIRETYPED_READY_FD';

/** The variable in which `wiretype up` passes the file of the interface. */
const CONFIG_FILE_VARIABLE = 'WIRETYPE_CONFIG_FILE';
const SECCOMP_VARIABLE = 'WIRETYPE_SECCOMP';
/** The variable that the parent of a supervised daemon sets. */
export const STATE_DESCRIPTOR_VARIABLE = 'WIRETYPED_STATE_FD';

const SUPERVISE_VARIABLE = 'WIRETYPE_SUPERVISE';
const OFFLOADS_VARIABLE = 'WIRETYPE_OFFLOADS';
const CRYPTO_THREADS_VARIABLE = 'WIRETYPE_CRYPTO_THREADS';
const MAX_CRYPTO_THREADS = 64;
/** The loop's own work limits the gain: further threads would wait for the loop. */
const MAX_DEFAULT_CRYPTO_THREADS = 4;

const MAX_NAME_BYTES = 15;
/** Excludes characters that the kernel refuses (spaces, "/", ":", ".", "..") or expands ("%"), and controls. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const NAME = /^(?!\.{1,2}$)[^\s/:%\x00-\x1f\x7f]+$/u;

/** @throws {WireGuardError} ERR_USAGE, ERR_INTERFACE_NAME */
export function parseDaemonCall(argv: readonly string[], env: NodeJS.ProcessEnv): DaemonCall {
  const { values, positionals } = parseArguments(argv);
  if (values.help) return { kind: 'help' };
  if (values.version) return { kind: 'version' };

  const [interfaceName, ...rest] = positionals;
  if (interfaceName === undefined) throw new WireGuardError('ERR_USAGE', 'the name of the interface is missing');
  if (rest.length > 0) throw new WireGuardError('ERR_USAGE', `one interface at a time: "${rest[0]}" is one too many`);
  if (!NAME.test(interfaceName) || Buffer.byteLength(interfaceName) > MAX_NAME_BYTES)
    throw new WireGuardError('ERR_INTERFACE_NAME', `"${interfaceName}" cannot be the name of an interface`);

  const options: DaemonOptions = {
    interfaceName,
    isForeground: values.foreground === true || env['WG_PROCESS_FOREGROUND'] === '1',
    tunDescriptor: descriptor(env, 'WG_TUN_FD'),
    uapiDescriptor: descriptor(env, 'WG_UAPI_FD'),
    cryptoThreads: cryptoThreads(env),
    isOffloading: isSwitchedOn(env, OFFLOADS_VARIABLE),
    logLevel: parseLogLevel(env['LOG_LEVEL']),
    isLogWanted: env['LOG_LEVEL'] !== undefined && env['LOG_LEVEL'] !== '',
    readyDescriptor: descriptor(env, READY_DESCRIPTOR_VARIABLE),
    stateDescriptor: descriptor(env, STATE_DESCRIPTOR_VARIABLE),
    isSupervised: isSwitchedOn(env, SUPERVISE_VARIABLE, '0'),
    configFile: env[CONFIG_FILE_VARIABLE] || undefined,
    isHardened: isSwitchedOn(env, SECCOMP_VARIABLE),
  };
  return { kind: 'run', options };
}

function parseArguments(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: DAEMON_OPTIONS,
    });
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new WireGuardError('ERR_USAGE', cause.message.split('. ', 1)[0]!, { cause });
  }
}

function descriptor(env: NodeJS.ProcessEnv, variable: string): number | undefined {
  const text = env[variable];
  if (text === undefined || text === '') return undefined;
  if (/^[0-9]{1,6}$/.test(text)) return Number(text);
  throw new WireGuardError('ERR_USAGE', `${variable} is not the number of a file descriptor`);
}

function isSwitchedOn(env: NodeJS.ProcessEnv, variable: string, ifNotSet: '0' | '1' = '1'): boolean {
  const text = env[variable] || ifNotSet;
  if (text === '1') return true;
  if (text === '0') return false;
  throw new WireGuardError('ERR_USAGE', `${variable} is neither 0 nor 1`);
}

/** Returns the number of threads. By default the loop works alone with one or two cores, else one core stays free. */
function cryptoThreads(env: NodeJS.ProcessEnv): number {
  const text = env[CRYPTO_THREADS_VARIABLE];
  if (text === undefined || text === '') return defaultCryptoThreads(availableParallelism());
  const threads = /^[0-9]{1,2}$/.test(text) ? Number(text) : 0;
  if (threads >= 1 && threads <= MAX_CRYPTO_THREADS) return threads;
  throw new WireGuardError('ERR_USAGE', `${CRYPTO_THREADS_VARIABLE} is not a number from 1 to ${MAX_CRYPTO_THREADS}`);
}

function defaultCryptoThreads(cores: number): number {
  return cores <= 2 ? 1 : Math.min(cores - 1, MAX_DEFAULT_CRYPTO_THREADS);
}
