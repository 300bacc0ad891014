import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { WireGuardError } from '../../core/errors.js';
import { SystemCommands } from '../../host/net/commands.js';
import type { Command, CommandIo } from '../command.js';
import { parseOptions } from '../device/command-options.js';
import type { Manual } from '../manual.js';
import { packageVersion } from '../version.js';
import { type InstallPlace, isInPath, isInSystemPath, type PlannedFile, planInstallation } from './install-plan.js';
import { Installation, type PlannedStep, type Step } from './installation.js';
import { manifestPath, readManifest } from './manifest.js';
import { withSystemErrors } from './system-errors.js';
import { EXPIRE_TIMER, hasSystemd, systemctl } from './systemd.js';

export const DEFAULT_PREFIX = '/usr/local';
/** This file runs as `dist/src/cli/install/install-command.js`. */
const PACKAGE_FOLDER = fileURLToPath(new URL('../../../../', import.meta.url)).replace(/\/$/, '');

const OPTIONS = {
  prefix: { type: 'string', value: 'FOLDER', about: `where to install; default ${DEFAULT_PREFIX}`, kinds: ['file'] },
  wg: { type: 'boolean', about: 'also install wg and wg-quick, which come before the stock ones in the PATH' },
  force: { type: 'boolean', about: 'replace files of others that are in the way; uninstall puts them back' },
  'dry-run': { type: 'boolean', about: 'print the steps only' },
} as const;

const MANUAL: Manual = {
  usage: '[--prefix FOLDER] [--wg] [--force] [--dry-run]',
  about: `
Installs the commands, the systemd units, the manual pages and the completions of this package, from a checkout or from
node_modules. The package itself stays where it is: after moving or updating it, or its Node.js, run install again.

Commands and units call Node.js and the package by absolute paths, so they work under sudo and systemd with a Node.js
that only your own PATH has.
`,
  words: [],
  options: OPTIONS,
  notes: `
Where systemd runs the host, it reads its units again, and the timer that disables expired peers is enabled; interfaces
are not. PREFIX/lib/wiretype/installed.json records what was made: uninstall removes exactly that. Files in
/etc/wireguard are never touched.
`,
  examples: [
    'sudo "$(command -v node)" bin/wiretype install',
    'wiretype install --prefix /usr --wg',
    'wiretype uninstall',
  ],
};

/** Installs commands, units, manual pages and completions. */
export const install: Command = {
  name: 'install',
  manual: MANUAL,

  async run(args, io) {
    const { values } = parseOptions(args, OPTIONS, [0, 0]);
    const prefix = checkPrefix(values.prefix);
    const place = { packageFolder: PACKAGE_FOLDER, prefix, node: process.execPath, hasWg: values.wg === true };
    const isDryRun = values['dry-run'] === true;
    const steps = withSystemErrors(() => installFiles(place, values.force === true, isDryRun));
    for (const { file, step } of steps) io.write(`${STEP_WORDS[step]} ${file.path}\n`);
    if (isDryRun) return;
    await startUnits(io, prefix);
    io.write(`Recorded in ${manifestPath(prefix)}; wiretype uninstall${prefixOption(prefix)} undoes it.\n`);
    if (!isInPath(join(prefix, 'bin'), process.env['PATH'])) io.write(`Add ${join(prefix, 'bin')} to your PATH.\n`);
  },
};

const STEP_WORDS: Readonly<Record<Step, string>> = {
  make: 'new       ',
  update: 'updated   ',
  replace: 'replaced  ',
  keep: 'unchanged ',
};

/** Installs the files of the package. @throws {WireGuardError} ERR_INSTALL; nothing was changed then. */
export function installFiles(place: InstallPlace, isForced: boolean, isDryRun: boolean): PlannedStep[] {
  const installation = new Installation(place.prefix, readManifest(place.prefix));
  const steps = installation.compare(planInstallation(place), mayKeepLink, isForced);
  if (!isDryRun) installation.apply(steps, packageVersion());
  return steps;
}

/** Tests whether a link of npm may stay, which needs a Node.js that sudo and systemd find. */
function mayKeepLink({ path, isLink }: PlannedFile): boolean {
  return isLink || !/\/bin\/wiretyped?$/.test(path) || isInSystemPath('node');
}

/** @throws {WireGuardError} ERR_USAGE */
export function checkPrefix(text: string | undefined): string {
  const prefix = text ?? DEFAULT_PREFIX;
  if (isAbsolute(prefix) && !/[\s%$"'\\]/.test(prefix)) return prefix.replace(/(?<=.)\/+$/, '');
  throw new WireGuardError('ERR_USAGE', '--prefix takes an absolute path without spaces, quotes, "%", "$" and "\\"');
}

/** Writes --prefix as the user must repeat it. */
export function prefixOption(prefix: string): string {
  return prefix === DEFAULT_PREFIX ? '' : ` --prefix ${prefix}`;
}

async function startUnits(io: CommandIo, prefix: string): Promise<void> {
  if (!hasSystemd(prefix)) return;
  const commands = new SystemCommands(io.writeError);
  for (const words of [['daemon-reload'], ['enable', '--now', EXPIRE_TIMER]]) {
    const failure = await systemctl(commands, ...words);
    if (failure === undefined) io.write(`done       systemctl ${words.join(' ')}\n`);
    else io.writeError(`systemctl ${words.join(' ')}: ${failure}\n`);
  }
}
