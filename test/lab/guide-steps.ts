/**
 * The steps of a guide of docs/guides, read from its Markdown.
 *
 * ````text
 *   ```sh server                              commands for the host "server"
 *   ```sh server keeps running                the same; the last command goes on until another takes its terminal
 *   ```ini /etc/sysctl.d/50.conf on server    a file to write there
 *   ```text shown                             output of the commands above
 *   ```text shown later                       output of the commands above, once they were repeated a few times
 *   ```text                                   for the reader, not done
 * ````
 */

/** One block: commands for a host, or a file for it. */
export interface GuideStep {
  /** The heading above it. */
  readonly section: string;
  readonly machine: string;
  /** Where the block begins, from 1. */
  readonly line: number;
  /** The path of a file; commands have none. */
  readonly path: string | undefined;
  readonly text: string;
  /** The last command does not end by itself. */
  readonly keepsRunning: boolean;
  /** Output of the commands, with "…" for what is left out. */
  shown: string | undefined;
  /** The output may be another at first. */
  isShownLater: boolean;
  /** The last line of prose above it, where the reader learns which host it is for. */
  readonly introduction: string;
}

const FENCE = /^```(\w*)(?: (.+))?$/;
const FILE = /^(\/\S+) on (\S+)$/;
const COMMANDS = /^(\S+)( keeps running)?$/;
const SHOWN = /^shown( later)?$/;

/** @throws {Error} For a block that neither names its host nor is `text`: nobody would run it. Or for output of no command. */
export function parseGuide(markdown: string): GuideStep[] {
  const steps: GuideStep[] = [];
  const lines = markdown.split('\n');
  let [section, introduction] = ['', ''];
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!;
    const fence = FENCE.exec(line);
    if (fence === null) {
      if (line.startsWith('#')) section = line.replace(/^#+ /, '');
      if (line.trim() !== '') introduction = line;
      continue;
    }
    const end = lines.indexOf('```', at + 1);
    const text = `${lines.slice(at + 1, end).join('\n')}\n`;
    if (fence[1] === 'text') noteShown(steps, fence[2] ?? '', text, at + 1);
    else steps.push({ ...readTarget(fence, at + 1), ...NOT_SHOWN, section, line: at + 1, text, introduction });
    at = end;
  }
  return steps;
}

const NOT_SHOWN = { shown: undefined, isShownLater: false };

function noteShown(steps: readonly GuideStep[], words: string, text: string, line: number): void {
  const [isShown, later] = SHOWN.exec(words) ?? [];
  if (isShown === undefined) return;
  const step = steps.at(-1);
  if (step === undefined || step.path !== undefined) throw new Error(`line ${line}: no command shows this`);
  step.shown = text;
  step.isShownLater = later !== undefined;
}

function readTarget(
  [, language, words = '']: RegExpExecArray,
  line: number,
): Pick<GuideStep, 'machine' | 'path' | 'keepsRunning'> {
  const file = FILE.exec(words);
  if (language !== 'sh' && file !== null) return { path: file[1]!, machine: file[2]!, keepsRunning: false };
  const commands = COMMANDS.exec(words);
  if (language === 'sh' && commands !== null)
    return { path: undefined, machine: commands[1]!, keepsRunning: commands[2] !== undefined };
  throw new Error(`line ${line}: \`\`\`${language} ${words} says neither a host nor text`);
}
