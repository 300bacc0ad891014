import path from 'node:path';

import type { CommandIo } from './command.js';
import { commandLineWords } from './command-line.js';
import { createProcessIo } from './process-io.js';

/** Runs the process that `bin/wiretype` is. */
export async function runProcess(): Promise<void> {
  const [, calledAs = '', ...argv] = process.argv;
  const program = path.basename(calledAs);
  const io = createProcessIo({ program, ignoresFullOutput: program === 'wg' });
  process.exitCode = await runProgram(calledAs, commandLineWords(argv), io);
  process.once('exit', endAtOnce);
}

/**
 * Ends the process when nothing is left to do, without Node's own cleanup: in Node 20 that waits for ever, at full speed, where a request
 * of a socket that is gone was never counted off.
 */
export function endAtOnce(): void {
  process.exit();
}

/**
 * Runs the program that the user called: `wiretype` or, by a link of that name to it, `wg` or `wg-quick`.
 *
 * @param calledAs The program's path, links not followed.
 * @returns Exit status.
 */
export async function runProgram(calledAs: string, argv: readonly string[], io: CommandIo): Promise<number> {
  switch (path.basename(calledAs)) {
    case 'wg':
      return await (await import('./wg/wg-main.js')).wgMain(argv, io);
    case 'wg-quick':
      return await (await import('./quick/quick-main.js')).quickMain(argv, io);
    default:
      return await (await import('./main.js')).main(argv, io);
  }
}
