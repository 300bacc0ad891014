import { parseArgs } from 'node:util';

import { WireGuardError } from '../../../core/errors.js';

/** The command line of a command that is about one interface or file. */
export interface CommandArguments {
  readonly target: string;
  /** Options without a value that were given. */
  readonly flags: ReadonlySet<string>;
  /** Options with a value. */
  readonly values: ReadonlyMap<string, string>;
}

/**
 * Reads the options of a command and the one word that it is about.
 *
 * @param known `flags` are options without a value, `values` options with one.
 * @throws {WireGuardError} ERR_USAGE
 */
export function parseCommandArguments(
  args: readonly string[],
  known: { readonly flags?: readonly string[]; readonly values?: readonly string[] },
): CommandArguments {
  const { positionals, values: given } = parseStrictly(args, known.flags ?? [], known.values ?? []);
  const [target, ...rest] = positionals;
  if (target === undefined) throw new WireGuardError('ERR_USAGE', 'the interface or its file is missing');
  if (rest.length > 0) throw new WireGuardError('ERR_USAGE', `"${rest[0]}" is one word too many`);

  const flags = new Set<string>();
  const values = new Map<string, string>();
  for (const [name, value] of Object.entries(given)) {
    if (typeof value === 'string') values.set(name, value);
    else flags.add(name);
  }
  return { target, flags, values };
}

function parseStrictly(args: readonly string[], flags: readonly string[], values: readonly string[]) {
  const options = Object.fromEntries([
    ...flags.map((name) => [name, { type: 'boolean' as const }]),
    ...values.map((name) => [name, { type: 'string' as const }]),
  ]);
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new WireGuardError('ERR_USAGE', cause.message.split('. ', 1)[0]!, { cause });
  }
}
