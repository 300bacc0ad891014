import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { WireGuardError } from '../../core/errors.js';

/** @returns Whether the process may change the network. */
export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** Variables by which a user chooses code: sudo may be configured to pass them on. */
const CODE_VARIABLES = /^(?:NODE_|WIRETYPE_PREBUILD$|(?:WG_QUICK_USERSPACE|WIRETYPE)_IMPLEMENTATION$)/;

/**
 * Runs this program again as root, by sudo, which prompts for the password. Drops variables that choose code.
 *
 * @param program The name of the program in the prompt.
 * @param args The words after the program on its command line.
 * @returns The exit status.
 * @throws {WireGuardError} ERR_NOT_ROOT if there is no sudo.
 */
export async function runAsRoot(program: string, args: readonly string[]): Promise<number> {
  const prompt = `${program} needs to be root. Password of %u: `;
  const self = [process.execPath, process.argv[1]!];
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !CODE_VARIABLES.test(name)));
  const child = spawn('sudo', ['-p', prompt, '--', ...self, ...args], { env, stdio: 'inherit' });
  try {
    const [status] = (await once(child, 'exit')) as [number | null];
    return status ?? 1;
  } catch (error) {
    throw new WireGuardError('ERR_NOT_ROOT', `${program} needs to be root`, { cause: error });
  }
}
