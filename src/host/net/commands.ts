import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';

import { WireGuardError } from '../../core/errors.js';
import { ProgramFailure } from './command-error.js';

/** The outcome of a program, and its output. Status 127: there is no such program. */
export interface CommandResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * The programs of the system that set up its network.
 *
 * They receive their arguments verbatim: no shell interprets them.
 */
export interface Commands {
  /** Shows the user the next command, in the form `[#] word word …`. */
  echo(words: readonly string[]): void;
  /** Warns the user of a fault that does not stop the work. */
  warn(text: string): void;
  /**
   * Echoes and runs a program that must succeed.
   *
   * @param input The program's standard input.
   * @throws {WireGuardError} ERR_COMMAND_FAILED with the program's output, ERR_COMMAND_MISSING.
   */
  run(words: readonly string[], input?: string): Promise<void>;
  /** Runs a program quietly; the caller judges the result. */
  ask(words: readonly string[], input?: string): Promise<CommandResult>;
  /** @returns Whether the program is in the PATH. */
  has(program: string): boolean;
}

/** The exit status of a shell for a program that it cannot find. */
export const COMMAND_MISSING_STATUS = 127;

/** The search path of bash without PATH, which a service or a web server may have cleared. */
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** A network tool that takes longer than this counts as hung. */
const TIMEOUT_MS = 60_000;

/**
 * Runs real programs, with messages in English so that they can be parsed.
 *
 * Each program has its own session: Ctrl-C cannot end a program in the middle of a change or of an undo.
 */
export class SystemCommands implements Commands {
  readonly #write: (text: string) => void;
  readonly #environment: NodeJS.ProcessEnv;

  /** @param write Writes echoes and warnings, to standard error. */
  constructor(write: (text: string) => void, environment: NodeJS.ProcessEnv = process.env) {
    this.#write = write;
    this.#environment = { ...environment, PATH: searchPathOf(environment), LC_ALL: 'C' };
  }

  echo(words: readonly string[]): void {
    this.#write(`[#] ${words.join(' ')}\n`);
  }

  warn(text: string): void {
    this.#write(`[!] ${text}\n`);
  }

  async run(words: readonly string[], input?: string): Promise<void> {
    this.echo(words);
    requireSuccess(words, await this.ask(words, input));
  }

  ask(words: readonly string[], input = ''): Promise<CommandResult> {
    const [program, ...args] = words;
    const child = spawn(program!, args, { env: this.#environment, stdio: 'pipe', detached: true });
    const limit = setTimeout(() => child.kill(), TIMEOUT_MS);
    return new Promise<CommandResult>((resolve, reject) => {
      let stdout = '';
      let stderr = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        stdout += text;
      });
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        stderr += text;
      });
      child.stdin.on('error', ignoreClosedPipe).end(input);
      child.once('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') resolve({ status: COMMAND_MISSING_STATUS, stdout, stderr: 'command not found' });
        else reject(new WireGuardError('ERR_COMMAND_FAILED', `${words.join(' ')}: ${error.message}`, { cause: error }));
      });
      child.once('close', (status, signal) => {
        resolve({ status: status ?? 1, stdout, stderr: signal === null ? stderr : `${stderr}ended by ${signal}` });
      });
    }).finally(() => clearTimeout(limit));
  }

  has(program: string): boolean {
    return findProgram(program, searchPathOf(this.#environment)) !== undefined;
  }
}

/** Returns the search path of programs: the variable PATH, or the default of bash. */
export function searchPathOf(environment: NodeJS.ProcessEnv): string {
  return environment['PATH'] ?? DEFAULT_PATH;
}

/** @throws {WireGuardError} ERR_COMMAND_MISSING, ERR_COMMAND_FAILED */
export function requireSuccess(words: readonly string[], { status, stderr }: CommandResult): void {
  if (status === COMMAND_MISSING_STATUS) {
    const cause = new ProgramFailure(words[0]!, status);
    throw new WireGuardError('ERR_COMMAND_MISSING', `${words[0]}: command not found`, { cause });
  }
  if (status !== 0) {
    const cause = new ProgramFailure(words[0]!, status);
    throw new WireGuardError('ERR_COMMAND_FAILED', `${words.join(' ')}: ${stderr.trim() || cause.message}`, { cause });
  }
}

/** @returns The first executable file of that name in the folders of `searchPath`, or `undefined`. */
export function findProgram(program: string, searchPath: string): string | undefined {
  const candidates = program.includes('/')
    ? [path.resolve(program)]
    : searchPath.split(':').map((folder) => path.resolve(folder, program));
  return candidates.find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false;
    throw error;
  }
}

/** Ignores EPIPE, since a program need not read all of its input. */
function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}
