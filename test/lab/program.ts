/** Programs of the system under the control of a test: run to their end, or kept running and stopped by their id. */
import { type ChildProcess, spawn } from 'node:child_process';

import { PATIENCE_MS, waitFor } from './wait.js';

/** How long a program may take to end after it was asked to, before it is killed. */
const INSIST_AFTER_MS = 20_000;

export interface RunOptions {
  /** All of standard input. Without it, standard input is empty. */
  readonly input?: string;
  /** Standard input stays open for `write`. */
  readonly isInteractive?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

export interface RunResult {
  /** The exit status, or 128 + 15 if it had to be stopped after `timeoutMs`. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program that runs while the test goes on. */
export class Program {
  readonly title: string;
  readonly exited: Promise<number>;
  stdout = '';
  stderr = '';
  exitStatus: number | undefined;
  readonly #child: ChildProcess;

  constructor(command: string, args: readonly string[], options: RunOptions = {}) {
    this.title = [command, ...args].join(' ');
    this.#child = spawn(command, args, { env: { ...process.env, ...options.env } });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    // A program may end before it has read its input: what counts is its exit status.
    this.#child.stdin?.on('error', () => {});
    if (options.isInteractive !== true) this.#child.stdin?.end(options.input ?? '');
    this.exited = new Promise((resolve) => {
      const settle = (status: number): void => {
        this.exitStatus = status;
        resolve(status);
      };
      this.#child.on('error', (error) => {
        this.stderr += String(error);
        settle(127);
      });
      this.#child.on('close', (status, signal) => settle(status ?? (signal === 'SIGKILL' ? 137 : 143)));
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get isRunning(): boolean {
    return this.exitStatus === undefined;
  }

  write(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** Ends an open standard input. */
  end(): void {
    this.#child.stdin?.end();
  }

  signal(name: NodeJS.Signals): void {
    if (this.isRunning) this.#child.kill(name);
  }

  /** Waits until standard output or standard error matches. */
  async says(pattern: RegExp, withinMs = PATIENCE_MS): Promise<void> {
    await waitFor(
      `${pattern} from ${this.title}`,
      () => {
        if (pattern.test(this.stdout) || pattern.test(this.stderr)) return true;
        if (!this.isRunning)
          throw new Error(`${this.title} ended with ${this.exitStatus}\n${this.stdout}${this.stderr}`);
        return false;
      },
      withinMs,
    );
  }

  /** Asks it to end, insists if it does not, and waits for the end. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number> {
    this.signal(signal);
    const insist = setTimeout(() => this.signal('SIGKILL'), INSIST_AFTER_MS);
    try {
      return await this.exited;
    } finally {
      clearTimeout(insist);
    }
  }
}

/** Runs a program to its end and returns what it said, whatever the exit status. */
export async function attempt(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const program = new Program(command, args, options);
  const limit = setTimeout(() => void program.stop(), options.timeoutMs ?? PATIENCE_MS);
  try {
    const status = await program.exited;
    return { status, stdout: program.stdout, stderr: program.stderr };
  } finally {
    clearTimeout(limit);
  }
}

/**
 * Runs a program that must succeed.
 *
 * @returns Its standard output.
 * @throws {Error} With everything it said, if the exit status is not 0.
 */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { status, stdout, stderr } = await attempt(command, args, options);
  if (status !== 0) throw new Error(`${[command, ...args].join(' ')}: exit status ${status}\n${stdout}${stderr}`);
  return stdout;
}
