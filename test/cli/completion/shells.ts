import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** An environment variable, since the path of a checkout may have characters that a shell would have to quote. */
const COMPLETIONS = fileURLToPath(new URL('../../../../completions', import.meta.url));
const LIMIT_MS = 60_000;
/** The folder for caches of shells. */
const HOME = mkdtempSync(join(tmpdir(), 'wiretype-shells-'));
process.on('exit', () => rmSync(HOME, { recursive: true, force: true }));

/** A shell that has read the completion script of the package. */
export interface Shell {
  readonly name: 'bash' | 'zsh' | 'fish';
  /** Returns the result of Tab on the last word of a line with one possible completion, escaped for the shell. */
  complete(line: string, bin: string): string | undefined;
}

/** Every shell for which there is a script. */
export const SHELLS: readonly Shell[] = [
  { name: 'bash', complete: completeInBash },
  { name: 'zsh', complete: completeInZsh },
  { name: 'fish', complete: completeInFish },
];

/** @returns Why the shell cannot be tested here; with `CI` in the environment it has to be, and the test fails without. */
export function whyNot({ name }: Shell): string | false {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const isHere = folders.some((folder) => existsSync(join(folder, name)));
  return !isHere && process.env['CI'] === undefined && `${name} is not installed`;
}

/** Calls the function as bash does, and shows the words that it would choose from. */
function completeInBash(line: string, bin: string): string | undefined {
  const script = `
    source "$COMPLETIONS"/wiretype.bash
    COMP_LINE=$1 COMP_POINT=\${#1}
    registered=$(complete -p "\${1%% *}" 2>/dev/null) && [[ $registered == *_wiretype* ]] && _wiretype
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  return only(run(bin, 'bash', ['--norc', '-c', script, 'bash', line]));
}

/** Types into an interactive zsh on a terminal of its own, and shows the line that came of it. */
function completeInZsh(line: string, bin: string): string | undefined {
  const setup = [
    'PS1=',
    'autoload -Uz compinit',
    'compinit -u', // keeps what it finds in the home folder: the next one is faster
    'source $COMPLETIONS/_wiretype',
    'show() { print -r -- "<<$BUFFER>>" }',
    'zle -N show',
    "bindkey '^X' show",
    'echo READY$((1+1))',
  ].join('; ');
  const script = `
    zmodload zsh/zpty
    zpty inner zsh -f -i
    zpty -w inner $1
    zpty -r inner output '*READY2*'
    zpty -w -n inner "$2"$'\\t\\x18'
    zpty -r inner output '*<<*>>*'
    print -r -- "\${\${output##*<<}%%>>*}"
    zpty -d inner`;
  const [buffer = ''] = run(bin, 'zsh', ['-f', '-c', script, 'zsh', setup, line]);
  const start = /^.*[^\\] /.exec(line)![0];
  return buffer.startsWith(start) && buffer.trimEnd() !== line.trimEnd()
    ? buffer.slice(start.length).trim()
    : undefined;
}

function completeInFish(line: string, bin: string): string | undefined {
  const script = 'source $COMPLETIONS/wiretype.fish; complete -C $argv[1]';
  return only(run(bin, 'fish', ['--no-config', '-c', script, line]).map((found) => found.replace(/\t.*/, '')));
}

function only(words: readonly string[]): string | undefined {
  return words.length === 1 ? words[0] : undefined;
}

/** @param bin The folder that is looked in first for programs. */
function run(bin: string, shell: string, args: readonly string[]): string[] {
  const env = { ...process.env, PATH: `${bin}:${process.env['PATH']}`, TERM: 'dumb', HOME, COMPLETIONS };
  const { stdout, error, signal } = spawnSync(shell, args, { env, cwd: bin, encoding: 'utf8', timeout: LIMIT_MS });
  if (error !== undefined || signal !== null) throw error ?? new Error(`${shell} ended by ${signal}`);
  return stdout.split('\n').filter((found) => found !== '');
}
