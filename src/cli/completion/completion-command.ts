import { readFileSync } from 'node:fs';

import { WireGuardError } from '../../core/errors.js';
import type { Command, CommandEntry, CommandIo } from '../command.js';
import type { Manual } from '../manual.js';

/** This file runs as `dist/src/cli/completion/completion-command.js`. */
const FOLDER = new URL('../../../../completions/', import.meta.url);

const SCRIPTS: ReadonlyMap<string, string> = new Map([
  ['bash', 'wiretype.bash'],
  ['zsh', '_wiretype'],
  ['fish', 'wiretype.fish'],
]);

const MANUAL: Manual = {
  usage: 'bash|zsh|fish',
  about: `
Prints the script that completes commands, options, interfaces, peers and files of wiretype and wiretyped when you press
Tab; where wg and wg-quick are links to wiretype, it completes theirs as well.
`,
  words: [{ name: 'bash|zsh|fish', choices: [...SCRIPTS.keys()] }],
  options: {},
  notes: `
To load it in every shell, add the line for yours to ~/.bashrc, ~/.zshrc (after compinit) or ~/.config/fish/config.fish.
The scripts run the program itself: "wiretype completion words -- PROGRAM WORD..." prints the candidates for the last
word.
`,
  examples: [
    'source <(wiretype completion bash)',
    'source <(wiretype completion zsh)',
    'wiretype completion fish | source',
  ],
};

/** Writes the completion scripts, and answers them. @param commands All commands of the program. */
export function completionCommand(commands: readonly CommandEntry[]): Command {
  return {
    name: 'completion',
    manual: MANUAL,

    async run(args, io) {
      const [word, ...rest] = args;
      if (word === 'words' && rest[0] === '--') return await answer(commands, rest.slice(1), io);
      const script = SCRIPTS.get(word ?? '');
      if (script === undefined || rest.length > 0)
        throw new WireGuardError('ERR_USAGE', 'name one shell: bash, zsh or fish');
      io.write(readFileSync(new URL(script, FOLDER), 'utf8'));
    },
  };
}

async function answer(
  commands: readonly CommandEntry[],
  [program = 'wiretype', ...words]: readonly string[],
  io: CommandIo,
): Promise<void> {
  const { complete } = await import('./complete.js');
  const { MachineWords } = await import('./machine-words.js');
  const { words: found, fileEnding } = await complete(
    commands,
    new MachineWords(),
    program,
    words.length === 0 ? [''] : words,
  );
  io.write(fileEnding === undefined ? 'words\n' : `files ${fileEnding}\n`);
  for (const { word, about } of found) {
    if (isLine(word)) io.write(`${word}\t${isLine(about) ? about : ''}\n`);
  }
}

/** Tests whether a text fits into one field of a line; other texts are omitted. */
function isLine(text: string): boolean {
  return !/\p{Cc}/u.test(text);
}
