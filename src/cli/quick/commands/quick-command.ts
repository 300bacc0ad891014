import type { Command } from '../../command.js';
import type { Manual } from '../../manual.js';
import { isRoot, runAsRoot } from '../privilege.js';
import { type QuickVerb, runQuick } from '../run-quick.js';
import { parseCommandArguments } from './command-arguments.js';

/** Makes a command of a verb of wg-quick. */
export function quickCommand(verb: QuickVerb, manual: Manual): Command {
  return {
    name: verb,
    manual,
    async run(args, io) {
      const { target, values } = parseCommandArguments(args, manual.options);
      if (!isRoot()) return await runAsRoot(`wiretype ${verb}`, [verb, ...withImplementation(args)]);
      return await runQuick({ verb, target, implementation: values.get('implementation') }, io);
    },
  };
}

/** sudo does not pass the environment on: what it says goes into the arguments. */
function withImplementation(args: readonly string[]): readonly string[] {
  const program = process.env['WG_QUICK_USERSPACE_IMPLEMENTATION'] ?? '';
  const isNeeded = program !== '' && !args.some((word) => word.startsWith('--implementation'));
  return isNeeded ? ['--implementation', program, ...args] : args;
}
