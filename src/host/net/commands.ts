import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';

import { WireGuardError } from '../../core/errors.js';
import { ProgramFailure } from './command-error.js';

/** How a program ended, and what it wrote. Status 127: there is no such program. */
export interface CommandResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * The programs of the system that set up its network.
 *
 * They get their arguments as they are, word by word: no shell ever reads them.
 */
export interface Commands {
  /** Tells the user what is about to be done, in the form `[#] word word …`. */
  echo(words: readonly string[]): void;
  /** Tells the user something that goes on, but not as it should. */
  warn(text: string): void;
  /**
   * Echoes and runs a program that has to succeed.
   *
   * @param input What it reads from its standard input.
   * @throws {WireGuardError} ERR_COMMAND_FAILED with what the program said, ERR_COMMAND_MISSING.
   */
  run(words: readonly string[], input?: string): Promise<void>;
  /** Runs a program quietly, and leaves the judgement to the caller. */
  ask(words: readonly string[], input?: string): Promise<CommandResult>;
  /** @returns Whether the program is in the PATH. */
  has(program: string): boolean;
}

/** What a shell says of a program that it cannot find. */
export const COMMAND_MISSING_STATUS = 127;

/** Where bash looks for programs if the environment does not say: a service or a web server may have cleared it. */
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** A network tool that takes longer than this hangs. */
const TIMEOUT_MS = 60_000;

/**
 * Runs real programs, with messages in English so that they can be read by ours.
 *
 * Each is in a session of its own: Ctrl-C ends them neither in the middle of a change nor while one is undone.
 */
export class SystemCommands implements Commands {
  readonly #write: (text: string) => void;
  readonly #environment: NodeJS.ProcessEnv;

  /** @param write Where echoes and warnings go: standard error. */
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

/** Returns where programs are looked for: the variable PATH, or what bash takes without it. */
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

/** A program need not read all of its input. */
function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}
