import type { Command, CommandIo } from '../../command.js';
import { formatJson } from '../../json-text.js';
import { jsonOption, type Manual, TARGET } from '../../manual.js';
import { expireBefore } from '../expire-before.js';
import { Interruption } from '../interruption.js';
import { isRoot, runAsRoot } from '../privilege.js';
import { findQuickFile } from '../quick-file.js';
import { reload as reloadInterface } from '../reload.js';
import { SystemQuickHost } from '../system-quick-host.js';
import { parseCommandArguments } from './command-arguments.js';

const MANUAL: Manual = {
  usage: '[--dry-run] [--json] INTERFACE|FILE',
  about: `
Makes the running interface equal to its file: peers, keys, port, addresses, routes, MTU and name servers. Prints the
plan, then carries it out as a whole or not at all. Sessions of peers whose lines have not changed stay up. PreUp,
PostUp, PreDown and PostDown do not run. Settings of the interface (key, port) that the file omits stay as they are.
`,
  words: [TARGET],
  options: { 'dry-run': { type: 'boolean', about: 'print the plan only' }, ...jsonOption('reload') },
  examples: ['wiretype reload --dry-run wg0', 'wiretype reload wg0'],
};

/** Makes a running interface equal to its file. */
export const reload: Command = {
  name: 'reload',
  manual: MANUAL,

  async run(args, io) {
    const { target, flags } = parseCommandArguments(args, MANUAL.options);
    if (!isRoot()) return await runAsRoot('wiretype reload', ['reload', ...args]);

    const interruption = new Interruption();
    try {
      const host = new SystemQuickHost((text) => io.writeError(text), interruption.signal);
      const options = { isLenient: false, mayBeMissing: false };
      const file = findQuickFile(host, target, (text) => io.writeError(text), options);
      const show = flags.has('json') ? showJson : showText;
      const isDryRun = flags.has('dry-run');
      if (!isDryRun) await expireBefore(target, io);
      await reloadInterface(host, file, (lines) => show(io, file.interfaceName, lines, isDryRun), isDryRun);
    } finally {
      interruption.dispose();
    }
  },
};

function showText(io: CommandIo, interfaceName: string, lines: readonly string[], isDryRun: boolean): void {
  const changes = lines.length === 1 ? '1 change' : `${lines.length || 'no'} changes`;
  const suffix = isDryRun && lines.length > 0 ? ', not made' : '';
  io.write([`${interfaceName}: ${changes}${suffix}\n`, ...lines.map((line) => `  ${line}\n`)].join(''));
}

function showJson(io: CommandIo, interfaceName: string, changes: readonly string[], isDryRun: boolean): void {
  io.write(formatJson({ interface: interfaceName, isDryRun, changes }));
}
