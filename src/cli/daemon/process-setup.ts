import { writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';

const PROGRAM = 'wiretyped';

/** Files and sockets of the daemon are for its user only, unless a mode is set. */
const UMASK = 0o077;

/** Sets up the whole process, before anything else runs in it. */
export function setUpProcess(interfaceName: string): void {
  process.umask(UMASK);
  nameProcess(interfaceName);
  process.on('SIGUSR1', () => {}); // else Node opens its debugger, and with it our keys, to every local user
  keepHeapSmall();
}

/** Puts the interface into the command line, and the program into the process name, which `pidof` looks for. */
function nameProcess(interfaceName: string): void {
  process.title = `${PROGRAM} ${interfaceName}`;
  try {
    writeFileSync('/proc/self/comm', PROGRAM);
  } catch {
    // Without /proc the name stays as it is.
  }
}

/**
 * Keeps V8's space for new objects at the megabyte that it starts with. The space would grow to 32 MB with the first
 * large `set`, and never shrink; packets make no objects, so that a larger space gains nothing.
 */
function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}
