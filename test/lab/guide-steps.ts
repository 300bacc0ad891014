/**
 * The steps of a guide of docs/guides, read from its Markdown.
 *
 * ````text
 *   ```sh server                              commands for the host "server"
 *   ```ini /etc/sysctl.d/50.conf on server    a file to write there
 *   ```text                                   shown, not done
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
  /** The last line of prose above it, where the reader learns which host it is for. */
  readonly introduction: string;
}

const FENCE = /^```(\w*)(?: (.+))?$/;
const FILE = /^(\/\S+) on (\S+)$/;

/** @throws {Error} For a block that neither names its host nor is `text`: nobody would run it. */
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
    if (fence[1] !== 'text') steps.push({ ...readTarget(fence, at + 1), section, line: at + 1, text, introduction });
    at = end;
  }
  return steps;
}

function readTarget([, language, words = '']: RegExpExecArray, line: number): Pick<GuideStep, 'machine' | 'path'> {
  const file = FILE.exec(words);
  if (language === 'ini' && file !== null) return { path: file[1]!, machine: file[2]! };
  if (language === 'sh' && /^\S+$/.test(words)) return { path: undefined, machine: words };
  throw new Error(`line ${line}: \`\`\`${language} ${words} says neither a host nor text`);
}
