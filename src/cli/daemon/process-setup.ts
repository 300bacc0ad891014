import { writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';

const PROGRAM = 'wiretyped';

/** Files and sockets of the daemon are for its user only, unless a mode is set. */
const UMASK = 0o077;

/** Sets what holds for the whole process, before anything else happens in it. */
export function setUpProcess(interfaceName: string): void {
  process.umask(UMASK);
  nameProcess(interfaceName);
  process.on('SIGUSR1', () => {}); // else Node opens its debugger, and with it our keys, to every local user
  keepHeapSmall();
}

/** The command line names the interface; the process itself is called as its program, which `pidof` looks for. */
function nameProcess(interfaceName: string): void {
  process.title = `${PROGRAM} ${interfaceName}`;
  try {
    writeFileSync('/proc/self/comm', PROGRAM);
  } catch {
    // Without /proc the name stays as it is.
  }
}

/**
 * Keeps V8's space for new objects at the megabyte that it starts with. It would grow to 32 MB with the first large
 * `set`, and never shrink; packets make no objects, so that nothing is gained from it.
 */
function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}
