import type { Command } from '../../command.js';
import type { Manual } from '../../manual.js';
import type { QuickVerb } from '../quick-verbs.js';
import { parseCommandArguments } from './command-arguments.js';

/** Makes a command from a verb of wg-quick. */
export function quickCommand(verb: QuickVerb, manual: Manual): Command {
  return {
    name: verb,
    manual,
    async run(args, io) {
      const { target, values } = parseCommandArguments(args, manual.options);
      const { isRoot, runAsRoot } = await import('../privilege.js');
      const { implementationOf } = await import('../backend.js');
      if (!isRoot()) {
        const isChosen = manual.options['implementation'] !== undefined && values.get('implementation') === undefined;
        const choice = isChosen ? implementationOf(process.env) : undefined;
        const words = choice === undefined ? args : ['--implementation', choice, ...args];
        return await runAsRoot(`wiretype ${verb}`, [verb, ...words]);
      }
      if (verb === 'up') {
        const { expireBefore } = await import('../expire-before.js');
        await expireBefore(target, io);
      }
      const { runQuick } = await import('../run-quick.js');
      const implementation = values.get('implementation');
      return await runQuick({ verb, target, implementation, isStock: false }, io);
    },
  };
}
