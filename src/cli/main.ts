import { WireGuardError } from '../core/errors.js';
import type { Command, CommandIo } from './command.js';
import { COMMANDS } from './command-table.js';

const VERSION_OPTIONS = ['--version', '-V', '-v'];

/** Runs the program `wiretype`: finds the command, runs it, and turns its errors into messages. */
export async function main(argv: readonly string[], io: CommandIo): Promise<number> {
  const [name, ...args] = argv;
  if (name !== undefined && VERSION_OPTIONS.includes(name)) {
    io.write(`wiretype ${(await import('./version.js')).packageVersion()}\n`);
    return 0;
  }
  if (name === '--help' || name === '-h' || (name === 'help' && args.length === 0)) {
    io.write(overview());
    return 0;
  }
  if (name === 'help') return await main([args[0]!, '--help'], io);
  const entry = COMMANDS.find((candidate) => candidate.name === name);
  if (entry === undefined) {
    io.writeError(name === undefined ? overview() : await explainUnknown(name));
    return 2;
  }
  if (entry.isFinishedOnSignal === true) io.interruption();
  return await run(await entry.load(), args, io);
}

async function run(command: Command, args: readonly string[], io: CommandIo): Promise<number> {
  const options = args.slice(0, args.includes('--') ? args.indexOf('--') : undefined);
  if (options.includes('--help') || options.includes('-h')) {
    const { formatHelp } = await import('./format-help.js');
    io.write(formatHelp(`wiretype ${command.name}`, command.manual, io.columns));
    return 0;
  }
  try {
    return (await runCompleted(command, args, io)) ?? 0;
  } catch (error) {
    if (!(error instanceof WireGuardError)) throw error; // a bug: let it crash with its stack
    const { exitStatusOf, formatError } = await import('./error-text.js');
    io.writeError(formatError(`wiretype ${command.name}`, error));
    return exitStatusOf(error);
  }
}

/** Runs a command with the options of the environment, where it has some. @throws {WireGuardError} */
async function runCompleted(command: Command, args: readonly string[], io: CommandIo): Promise<number | void> {
  if (command.manual.settings === undefined) return await command.run(args, io);
  const { completeLine } = await import('./option-variables.js');
  const line = completeLine(args, command.manual, process.env);
  try {
    return await command.run(line.args, io);
  } catch (error) {
    throw error instanceof WireGuardError ? line.explain(error) : error;
  }
}

async function explainUnknown(name: string): Promise<string> {
  const { closestWord } = await import('../control/closest-word.js');
  const { quote } = await import('../control/config/secret-text.js');
  const closest = closestWord(
    name,
    COMMANDS.map((command) => command.name),
  );
  const advice = closest === undefined ? '' : `Did you mean ${closest}? `;
  return `wiretype: there is no command ${quote(name)}\n${advice}wiretype --help lists all commands.\n`;
}

function overview(): string {
  const width = Math.max(...COMMANDS.map(({ name }) => name.length));
  return `Usage: wiretype COMMAND [ARGUMENTS]

WireGuard in TypeScript. The daemon behind an interface is a program of its own:
wiretyped --help.

Commands:
${COMMANDS.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`).join('\n')}

wiretype COMMAND --help explains one command, man wiretype explains all.
wiretype --version prints the version. For completion of words in the shell:
source <(wiretype completion bash), or see wiretype completion --help.
`;
}
