import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Something that `install` puts into the system. */
export interface PlannedFile {
  readonly path: string;
  readonly mode: number;
  /** The contents of a file, or the target of a link. */
  readonly contents: string;
  readonly isLink: boolean;
  /** The file of the package that a link in this place may lead to, as npm and earlier instructions make it. */
  readonly source: string;
}

/** The origin and the destination of an installation. */
export interface InstallPlace {
  /** The folder of this package. */
  readonly packageFolder: string;
  /** A prefix such as `/usr/local`. */
  readonly prefix: string;
  /** The Node.js that runs the programs, by its absolute path. */
  readonly node: string;
  /** Commands named `wg` and `wg-quick` are installed as well. */
  readonly hasWg: boolean;
}

/** The PATH of sudo and of systemd. */
const SYSTEM_PATH = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
const PROGRAM_MODE = 0o755;
const TEXT_MODE = 0o644;

/** Lists everything that is installed. */
export function planInstallation(place: InstallPlace): PlannedFile[] {
  return [...planPrograms(place), ...planUnits(place), ...planManuals(place), ...planCompletions(place)];
}

/** Tests whether sudo and systemd find a program by its name alone. */
export function isInSystemPath(program: string, folders: readonly string[] = SYSTEM_PATH): boolean {
  return folders.some((folder) => existsSync(join(folder, program)));
}

/** Tests whether the shells of users find programs in a folder. */
export function isInPath(folder: string, path: string | undefined): boolean {
  return [...SYSTEM_PATH, ...(path ?? '').split(delimiter)].includes(folder);
}

/**
 * Rewrites a unit so that it finds the programs without a PATH.
 *
 * @param folder The folder of the programs.
 */
export function unitText(text: string, folder: string): string {
  return text.replace(/^Exec.*$/gm, (line) =>
    line.replace(/(?<![\w./-])(?:\/usr\/bin\/env )?(wiretyped?)(?= )/g, (_, program: string) => `${folder}/${program}`),
  );
}

function planPrograms(place: InstallPlace): PlannedFile[] {
  const { packageFolder, prefix, hasWg } = place;
  const program = (name: string, source: string) => planProgram(place, name, source);
  const [main, daemon] = ['wiretype', 'wiretyped'].map((name) => join(packageFolder, 'bin', name)) as [string, string];
  const own = [program('wiretype', main), program('wiretyped', daemon)];
  if (!hasWg) return own;
  // The name that a program is called by decides what it does: a link carries the name to Node.js.
  const stock = ['wg', 'wg-quick'].flatMap((name) => {
    const link = join(prefix, 'lib/wiretype', name);
    return [{ path: link, mode: 0, contents: main, source: main, isLink: true }, program(name, link)];
  });
  return [...own, ...stock];
}

function planProgram({ prefix, node }: InstallPlace, name: string, source: string): PlannedFile {
  const contents = `#!/bin/sh
# Made by "wiretype install": runs the package with its Node.js, whatever the PATH.
exec ${quoteWord(node)} ${quoteWord(source)} "$@"
`;
  return { path: join(prefix, 'bin', name), mode: PROGRAM_MODE, contents, source, isLink: false };
}

function planUnits({ packageFolder, prefix }: InstallPlace): PlannedFile[] {
  const folder = join(packageFolder, 'systemd');
  return readdirSync(folder).map((name) => {
    const source = join(folder, name);
    const contents = unitText(readFileSync(source, 'utf8'), join(prefix, 'bin'));
    return { path: join(prefix, 'lib/systemd/system', name), mode: TEXT_MODE, contents, source, isLink: false };
  });
}

function planManuals({ packageFolder, prefix }: InstallPlace): PlannedFile[] {
  const folder = join(packageFolder, 'man');
  return readdirSync(folder).map((name) => {
    const section = name.slice(name.lastIndexOf('.') + 1);
    return copy(join(folder, name), join(prefix, `share/man/man${section}`, name));
  });
}

function planCompletions({ packageFolder, prefix }: InstallPlace): PlannedFile[] {
  const source = (name: string) => join(packageFolder, 'completions', name);
  const share = (name: string) => join(prefix, 'share', name);
  return [
    copy(source('wiretype.bash'), share('bash-completion/completions/wiretype')),
    copy(source('wiretype.bash'), share('bash-completion/completions/wiretyped')),
    copy(source('_wiretype'), share('zsh/site-functions/_wiretype')),
    copy(source('wiretype.fish'), share('fish/vendor_completions.d/wiretype.fish')),
    copy(source('wiretype.fish'), share('fish/vendor_completions.d/wiretyped.fish')),
  ];
}

function copy(source: string, path: string): PlannedFile {
  return { path, mode: TEXT_MODE, contents: readFileSync(source, 'utf8'), source, isLink: false };
}

/** Quotes a word for a shell. */
function quoteWord(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
