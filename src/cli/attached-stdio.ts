import { fstatSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { standardError, standardOutput } from './output-stream.js';

type Stdio = 'inherit' | 'ignore';

const STDOUT = 1;
const STDERR = 2;

/**
 * Returns the standard streams for a child that works on our terminal.
 *
 * A stream that cannot be written any more becomes /dev/null. Else SIGPIPE, or an error of `echo`, would end a
 * hook before the command that the line is about.
 */
export async function attachedStdio(): Promise<readonly [Stdio, Stdio, Stdio]> {
  await nextTurn(); // the error of the last write has arrived by now
  const isOutputLost = standardOutput.isFailed || (standardError.isFailed && isSameFile());
  const isErrorLost = standardError.isFailed || (standardOutput.isFailed && isSameFile());
  return ['inherit', isOutputLost ? 'ignore' : 'inherit', isErrorLost ? 'ignore' : 'inherit'];
}

/** Returns whether both lead to one place, as after `2>&1`. */
function isSameFile(): boolean {
  const [output, error] = [fstatSync(STDOUT), fstatSync(STDERR)];
  return output.ino === error.ino && output.dev === error.dev;
}
