import { WireGuardError } from '../../core/errors.js';
import { programStatus } from '../../host/net/command-error.js';
import { implementationOf } from './backend.js';
import { isRoot, runAsRoot } from './privilege.js';
import { QUICK_VERBS } from './quick-verbs.js';
import { type QuickCall, type QuickOutput, runQuick } from './run-quick.js';

const PROGRAM = 'wg-quick';

/**
 * Runs the program `wg-quick`, which is a link of that name to `wiretype`.
 *
 * @param argv The words after the program's name.
 * @returns Exit status: 0 done; that of a program or hook that failed; 1 for other errors; 128 + N after signal N.
 *
 * Source: wg-quick(8).
 */
export async function quickMain(argv: readonly string[], io: QuickOutput): Promise<number> {
  if (argv.length === 1 && ['--help', '-h', 'help'].includes(argv[0]!)) {
    io.writeError(USAGE);
    return 0;
  }
  const call = parseQuickArguments(argv);
  if (call === undefined) {
    io.writeError(USAGE);
    return 1;
  }
  try {
    if (!isRoot()) return await runAsRoot(PROGRAM, formatQuickArguments(call));
    return await runQuick(call, io);
  } catch (error) {
    if (!(error instanceof WireGuardError)) throw error; // a bug: let it crash with its stack
    io.writeError(`${PROGRAM}: ${error.message}\n`);
    return programStatus(error) ?? 1;
  }
}

/** @returns `undefined` if the arguments are invalid. */
function parseQuickArguments(argv: readonly string[]): QuickCall | undefined {
  const [option, implementation] = argv;
  if (option === '--implementation') {
    if (implementation === undefined || implementation === '') return undefined;
    const call = parseQuickArguments(argv.slice(2));
    return call === undefined ? undefined : { ...call, implementation };
  }
  const verb = QUICK_VERBS.find((candidate) => candidate === argv[0]);
  const target = argv[1];
  if (verb === undefined || target === undefined || argv.length !== 2) return undefined;
  return { verb, target, implementation: undefined, isStock: true };
}

/** Writes a call as arguments only, since sudo drops variables that choose a program. */
function formatQuickArguments({ verb, target, implementation }: QuickCall): string[] {
  const choice = implementation ?? implementationOf(process.env);
  return [...(choice === undefined ? [] : ['--implementation', choice]), verb, target];
}

const USAGE = `Usage: ${PROGRAM} [--implementation HOW] up|down|save|strip FILE|INTERFACE

INTERFACE stands for the file /etc/wireguard/INTERFACE.conf; a FILE elsewhere is
also called INTERFACE.conf.

  up     makes the interface and gives it keys, peers, addresses, name servers
         and routes from the file
  down   undoes all of that
  save   writes the state of the running interface into the file
  strip  prints the file without the lines for ${PROGRAM}

These lines of [Interface] are for ${PROGRAM}: Address, DNS, MTU, Table, PreUp,
PostUp, PreDown, PostDown, SaveConfig. The others are for wg(8).

The kernel makes the interface if it has WireGuard, else wiretyped or the program
in WG_QUICK_USERSPACE_IMPLEMENTATION. HOW is kernel for the kernel only, or a
program, such as wiretyped, that is used in any case. The variable
WIRETYPE_IMPLEMENTATION has the same effect.
`;
