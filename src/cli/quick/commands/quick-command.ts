import type { Command } from '../../command.js';
import type { Manual } from '../../manual.js';
import { implementationOf } from '../backend.js';
import { expireBefore } from '../expire-before.js';
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
      if (!isRoot()) {
        const isChosen = manual.options['implementation'] !== undefined;
        return await runAsRoot(`wiretype ${verb}`, [verb, ...(isChosen ? withImplementation(args) : args)]);
      }
      if (verb === 'up') await expireBefore(target, io);
      const implementation = values.get('implementation');
      return await runQuick({ verb, target, implementation, isStock: false }, io);
    },
  };
}

/** sudo does not pass the environment on: what it says goes into the arguments. */
function withImplementation(args: readonly string[]): readonly string[] {
  const choice = implementationOf(process.env, false);
  const isNeeded = choice !== undefined && !args.some((word) => word.startsWith('--implementation'));
  return isNeeded ? ['--implementation', choice, ...args] : args;
}
