/**
 * The programs of the system that a purpose needs, from `scripts/PURPOSE-tools.json`, and how to get the missing ones.
 *
 * An entry names a `command` or a `file`, the Debian `package` that has it, `isOptional` where the purpose is
 * served, with less, without it, and `isService` where the package starts a service.
 */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('.', import.meta.url));
/** Administrators' programs are here, also when PATH does not contain these folders. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** Returns the entries of a purpose that this system lacks. */
export function missingTools(purpose) {
  return readTools(purpose).filter(
    ({ command, file }) => !(command === undefined ? existsSync(file) : isInstalled(command)),
  );
}

export function readTools(purpose) {
  const list = join(FOLDER, `${purpose}-tools.json`);
  return existsSync(list) ? JSON.parse(readFileSync(list, 'utf8')) : [];
}

export function packagesOf(tools) {
  return [...new Set(tools.map((tool) => tool.package))];
}

export function namesOf(tools) {
  return tools.map(({ command, file }) => command ?? file).join(', ');
}

export function isInstalled(command) {
  return findProgram(command) !== undefined;
}

/** Returns the path of a program, or `undefined`. */
export function findProgram(command) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...SYSTEM_FOLDERS];
  return folders.map((folder) => join(folder, command)).find(isExecutable);
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
