import path from 'node:path';

import type { CommandEntry } from '../command.js';
import { listOptions } from '../format-help.js';
import { type Completed, type Keywords, type Manual, type OptionManual, TARGET, type WordKind } from '../manual.js';
import { QUICK_VERBS } from '../quick/quick-verbs.js';
import { isWgCommand } from '../wg/wg-commands.js';
import type { Candidate, MachineWords } from './machine-words.js';

/** The candidates for the word that the user is typing. */
export interface Completion {
  readonly words: readonly Candidate[];
  /** Files with this ending are candidates as well. */
  readonly fileEnding?: string;
}

const NOTHING: Completion = { words: [] };
const HELP: Candidate = { word: '--help', about: 'print usage and examples' };
const VERSION: Candidate = { word: '--version', about: 'print the version' };

/**
 * Finds candidates for the last word of a command line. Candidates are not filtered by the typed part: shells
 * do that in their own ways.
 *
 * @param commands The commands of the program.
 * @param program The name that the program was called by: wiretype, wiretyped, wg or wg-quick.
 * @param words The words after the program; the last one is being typed, and may be empty.
 */
export async function complete(
  commands: readonly CommandEntry[],
  machine: MachineWords,
  program: string,
  words: readonly string[],
): Promise<Completion> {
  switch (path.basename(program)) {
    case 'wiretyped':
      return await completeManual(machine, (await import('../daemon/daemon-manual.js')).DAEMON_MANUAL, words);
    case 'wg':
      return await completeCommand(commands, machine, 'wg', words);
    case 'wg-quick':
      return await completeQuick(commands, machine, words);
    default:
      return await completeCommand(commands, machine, 'wiretype', words);
  }
}

async function completeCommand(
  commands: readonly CommandEntry[],
  machine: MachineWords,
  program: 'wiretype' | 'wg',
  [name = '', ...rest]: readonly string[],
): Promise<Completion> {
  const entries = program === 'wg' ? commands.filter((entry) => isWgCommand(entry.name)) : commands;
  if (rest.length === 0) {
    const summaries = entries.map(({ name: word, summary }) => ({ word, about: summary }));
    return { words: name.startsWith('-') ? [HELP, VERSION] : summaries };
  }
  if (name === 'help' && program === 'wiretype') return await completeCommand(commands, machine, program, rest);
  const command = await entries.find((entry) => entry.name === name)?.load();
  if (command === undefined) return NOTHING;
  const { manual } = command;
  return await completeManual(machine, program === 'wg' ? { ...manual, options: {} } : manual, rest);
}

async function completeQuick(
  commands: readonly CommandEntry[],
  machine: MachineWords,
  words: readonly string[],
): Promise<Completion> {
  const [verb = '', ...rest] = words;
  if (verb === '--implementation' && rest.length > 1) return await completeQuick(commands, machine, rest.slice(1));
  if (rest.length === 1) return QUICK_VERBS.some((name) => name === verb) ? await offer(machine, TARGET, '') : NOTHING;
  if (rest.length > 1) return NOTHING;
  const implementation = { word: '--implementation', about: 'the program that makes the interface' };
  if (verb.startsWith('-')) return { words: [implementation, HELP] };
  return { words: QUICK_VERBS.map((word) => ({ word, about: commands.find(({ name }) => name === word)!.summary })) };
}

async function completeManual(machine: MachineWords, manual: Manual, words: readonly string[]): Promise<Completion> {
  const current = words.at(-1)!;
  const place = findPlace(manual, words.slice(0, -1));
  const [target = ''] = place.positionals;
  if (place.open !== undefined) return await offer(machine, place.open, target);
  if (current.startsWith('-') && !place.isPastOptions) return { words: unusedOptions(manual, place.used) };

  const word = manual.words[place.positionals.length];
  if (word !== undefined) return await offer(machine, word, target);
  if (manual.keywords === undefined) return NOTHING;
  return await completeKeywords(machine, manual.keywords, place.positionals.slice(manual.words.length), target);
}

/** The meaning of the words so far. */
interface Place {
  readonly positionals: readonly string[];
  readonly used: ReadonlySet<string>;
  /** The option whose value comes next. */
  readonly open: OptionManual | undefined;
  /** After `--`, or behind keywords, whose values may start with a dash. */
  readonly isPastOptions: boolean;
}

function findPlace(manual: Manual, words: readonly string[]): Place {
  const positionals: string[] = [];
  const used = new Set<string>();
  let open: OptionManual | undefined;
  let isPastOptions = false;
  for (const word of words) {
    if (open !== undefined) open = undefined;
    else if (word === '--') isPastOptions = true;
    else if (isPastOptions || !word.startsWith('-')) positionals.push(word);
    else {
      const [name, option] = findOption(manual, word) ?? [];
      if (name !== undefined) used.add(name);
      if (option?.type === 'string' && !word.includes('=')) open = option;
    }
    isPastOptions ||= manual.keywords !== undefined && positionals.length >= manual.words.length;
  }
  return { positionals, used, open, isPastOptions };
}

function findOption({ options }: Manual, word: string): [string, OptionManual] | undefined {
  const name = word.replace(/^--?/, '').replace(/=.*/, '');
  const isLong = word.startsWith('--');
  return Object.entries(options).find(([long, { short }]) => (isLong ? long : short) === name);
}

function unusedOptions({ options }: Manual, used: ReadonlySet<string>): Candidate[] {
  const unused = Object.fromEntries(
    Object.entries(options).filter(([name, { multiple }]) => multiple === true || !used.has(name)),
  );
  const words = listOptions(unused).map(({ term, about }) => ({ word: /--[a-z0-9-]+/.exec(term)![0], about }));
  return words.some(({ word }) => word === HELP.word) || used.has('help') ? words : [...words, HELP];
}

async function completeKeywords(
  machine: MachineWords,
  { interface: ofInterface, peer: ofPeer }: { readonly interface: Keywords; readonly peer: Keywords },
  words: readonly string[],
  target: string,
): Promise<Completion> {
  let scope = ofInterface;
  let used = new Set<string>();
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const keyword = word === 'peer' ? ofInterface['peer'] : scope[word];
    if (keyword === undefined) return NOTHING;
    if (word === 'peer') [scope, used] = [ofPeer, new Set()];
    used.add(word);
    if (keyword.value === undefined) continue;
    i++;
    if (i === words.length) return await offer(machine, keyword, target);
  }
  const next = { ...scope, peer: ofInterface['peer']! };
  const isPeerDone = scope === ofInterface || used.size > 1;
  const left = Object.entries(next).filter(([word]) => (word === 'peer' ? isPeerDone : !used.has(word)));
  return { words: left.map(([word, { about }]) => ({ word, about })) };
}

/** @param target The first word of the command: an interface or a file. */
async function offer(
  machine: MachineWords,
  { kinds = [], choices = [] }: Completed,
  target: string,
): Promise<Completion> {
  const words = choices.map((word) => ({ word, about: '' }));
  for (const kind of kinds) words.push(...(await findWords(machine, kind, target)));
  if (kinds.includes('file')) return { words, fileEnding: '' };
  return kinds.includes('config-file') ? { words, fileEnding: '.conf' } : { words };
}

async function findWords(machine: MachineWords, kind: WordKind, target: string): Promise<Candidate[]> {
  switch (kind) {
    case 'running':
      return machine.running();
    case 'configured':
      return machine.configured();
    case 'peer-key':
      return await machine.peerKeys(target);
    case 'peer-name':
      return await machine.peerNames(target);
    case 'config-file':
    case 'file':
      return [];
  }
}
