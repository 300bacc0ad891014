import { WireGuardError } from '../../core/errors.js';
import { SystemCommands } from '../../host/net/commands.js';
import type { Command } from '../command.js';
import { parseOptions } from '../device/command-options.js';
import type { Manual } from '../manual.js';
import { checkPrefix, DEFAULT_PREFIX } from './install-command.js';
import { Installation } from './installation.js';
import { type Manifest, readManifest } from './manifest.js';
import { withSystemErrors } from './system-errors.js';
import { EXPIRE_TIMER, enabledInterfaces, hasSystemd, systemctl } from './systemd.js';

const OPTIONS = {
  prefix: { type: 'string', value: 'FOLDER', about: `as with install; default ${DEFAULT_PREFIX}`, kinds: ['file'] },
  force: { type: 'boolean', about: 'also remove files that were changed since, and units that are enabled' },
  'dry-run': { type: 'boolean', about: 'print what would be removed' },
} as const;

const MANUAL: Manual = {
  usage: '[--prefix FOLDER] [--force] [--dry-run]',
  about: `
Removes what install made, and puts back what install replaced. Files that were changed since are left and named. The
package itself, files in /etc/wireguard and running interfaces are not touched.
`,
  words: [],
  options: OPTIONS,
  examples: ['wiretype uninstall', 'wiretype uninstall --dry-run'],
};

/** Undoes `install`. */
export const uninstall: Command = {
  name: 'uninstall',
  manual: MANUAL,

  async run(args, io) {
    const { values } = parseOptions(args, OPTIONS, [0, 0]);
    const prefix = checkPrefix(values.prefix);
    const isForced = values.force === true;
    const manifest = requireManifest(prefix);
    const managed = hasSystemd(prefix);
    if (managed && !isForced) refuseEnabled();
    if (values['dry-run'] === true) {
      for (const { path, saved } of manifest.files) io.write(`${saved === null ? 'remove ' : 'restore'} ${path}\n`);
      return;
    }
    const commands = new SystemCommands(io.writeError);
    if (managed) await systemctl(commands, 'disable', '--now', EXPIRE_TIMER);
    const left = withSystemErrors(() => new Installation(prefix, manifest).remove(isForced));
    if (managed) await systemctl(commands, 'daemon-reload');
    for (const { path, saved } of manifest.files) {
      if (left.includes(path)) io.writeError(`left       ${path}: it was changed since\n`);
      else io.write(`${saved === null ? 'removed  ' : 'restored '} ${path}\n`);
    }
  },
};

function requireManifest(prefix: string): Manifest {
  const manifest = readManifest(prefix);
  if (manifest !== undefined) return manifest;
  throw new WireGuardError('ERR_INSTALL', `"wiretype install" has not installed anything below ${prefix}`);
}

function refuseEnabled(): void {
  const units = enabledInterfaces();
  if (units.length === 0) return;
  const advice = `systemctl disable --now ${units.join(' ')}`;
  throw new WireGuardError('ERR_INSTALL', `interfaces are started by these units: run ${advice} first, or use --force`);
}
