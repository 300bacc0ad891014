import { WireGuardError } from '../../../core/errors.js';
import { parseOptions } from '../../device/command-options.js';
import type { OptionManuals } from '../../manual.js';

/** The command line of a command for one interface or file. */
export interface CommandArguments {
  readonly target: string;
  /** Options without a value that were given. */
  readonly flags: ReadonlySet<string>;
  /** Options with a value. */
  readonly values: ReadonlyMap<string, string>;
}

/**
 * Reads the options of a command and its one target.
 *
 * @throws {WireGuardError} ERR_USAGE
 */
export function parseCommandArguments(args: readonly string[], options: OptionManuals): CommandArguments {
  const { positionals, values: given } = parseOptions(args, options, [0, 1]);
  const [target] = positionals;
  if (target === undefined) throw new WireGuardError('ERR_USAGE', 'the interface or its file is missing');

  const flags = new Set<string>();
  const values = new Map<string, string>();
  for (const [name, value] of Object.entries(given)) {
    if (typeof value === 'string') values.set(name, value);
    else flags.add(name);
  }
  return { target, flags, values };
}
