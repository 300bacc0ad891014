/** Fake programs of the system whose answers a test supplies, and a record of their calls. */
import { type CommandResult, type Commands, requireSuccess } from '../../../src/host/net/commands.js';

/** The answer of a program: its standard output, or its failure. */
export type Answer = string | { readonly status: number; readonly stderr: string };

export class FakeCommands implements Commands {
  /** Everything that was run or asked, one line each. */
  readonly said: string[] = [];
  readonly inputs: string[] = [];
  readonly echoes: string[] = [];
  readonly warnings: string[] = [];
  readonly programs: Set<string>;
  readonly #answer: (words: readonly string[], input: string) => Answer | undefined;

  /** @param answer `undefined` stands for success without a word. */
  constructor(
    answer: (words: readonly string[], input: string) => Answer | undefined = () => undefined,
    programs: readonly string[] = ['ip', 'nft'],
  ) {
    this.#answer = answer;
    this.programs = new Set(programs);
  }

  echo(words: readonly string[]): void {
    this.echoes.push(words.join(' '));
  }

  warn(text: string): void {
    this.warnings.push(text);
  }

  async run(words: readonly string[], input?: string): Promise<void> {
    this.echo(words);
    requireSuccess(words, await this.ask(words, input));
  }

  async ask(words: readonly string[], input = ''): Promise<CommandResult> {
    this.said.push(words.join(' '));
    this.inputs.push(input);
    const answer = this.#answer(words, input) ?? '';
    return typeof answer === 'string' ? { status: 0, stdout: answer, stderr: '' } : { stdout: '', ...answer };
  }

  has(program: string): boolean {
    return this.programs.has(program);
  }
}
