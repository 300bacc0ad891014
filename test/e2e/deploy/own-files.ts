/** A machine whose changes of files are nobody else's, and can be listed: layers over /etc, /root, /usr and /var. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

import { attempt, Program, type RunOptions, type RunResult } from '../../lab/program.js';

const FOLDERS = ['etc', 'root', 'usr', 'var'];
/** Makes the layers and stays: what holds the mounts is the process. */
const SCRIPT = `set -e
cd "$1"
mount -t tmpfs tmpfs .
cd "$1"
for folder in ${FOLDERS.join(' ')}; do
  mkdir "$folder" "$folder/new" "$folder/work"
  mount -t overlay overlay -o "lowerdir=/$folder,upperdir=$folder/new,workdir=$folder/work" "/$folder"
done
ip link set lo up
echo ready
exec sleep infinity`;

export class OwnFiles {
  readonly #holder: Program;
  readonly #folder: string;

  private constructor(holder: Program, folder: string) {
    this.#holder = holder;
    this.#folder = folder;
  }

  /** The machine goes when the test `t` ends. Its network is one of its own, too. */
  static async create(t: Pick<TestContext, 'after'>): Promise<OwnFiles> {
    const folder = mkdtempSync(join(tmpdir(), 'wiretype-layers-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const layers = join(folder, 'layers');
    mkdirSync(layers);
    const words = ['-m', '-n', '--propagation', 'private', 'bash', '-c', SCRIPT, 'bash', layers];
    const holder = new Program('unshare', words);
    t.after(() => holder.stop());
    await holder.says(/ready/);
    return new OwnFiles(holder, layers);
  }

  async attempt(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    return await attempt('nsenter', this.#inside(command, args), options);
  }

  async run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
    const { status, stdout, stderr } = await this.attempt(command, args, options);
    if (status !== 0) throw new Error(`${[command, ...args].join(' ')}: exit status ${status}\n${stdout}${stderr}`);
    return stdout;
  }

  /** Starts a program. It must end before the machine does. */
  start(command: string, args: readonly string[]): Program {
    return new Program('nsenter', this.#inside(command, args));
  }

  async read(path: string): Promise<string> {
    return await this.run('cat', [path]);
  }

  /** Lists the files and links that were made, changed or removed. */
  async changed(): Promise<string[]> {
    const roots = FOLDERS.map((folder) => `${folder}/new`);
    const script = 'cd "$0" && exec find "$@" ! -type d -print';
    const found = await this.run('sh', ['-c', script, this.#folder, ...roots]);
    return found
      .split('\n')
      .filter(Boolean)
      .map((path) => `/${path.replace('/new/', '/')}`)
      .sort();
  }

  #inside(command: string, args: readonly string[]): string[] {
    return ['-t', String(this.#holder.pid), '-m', '-n', '--', command, ...args];
  }
}
