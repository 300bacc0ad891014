/** The circumstances under which figures were taken. */
import { cpus, release, totalmem } from 'node:os';

import { CHECKOUT } from '../test/lab/implementation.js';
import { attempt } from '../test/lab/program.js';
import type { Contender } from './contender.js';

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGigabytes: number;
  readonly kernel: string;
  readonly node: string;
}

export interface Run {
  readonly date: string;
  /** The commit, with a plus where files were changed. */
  readonly commit: string;
  readonly command: string;
  readonly machine: Machine;
  /** Duration of each transfer. */
  readonly seconds: number;
  /** Name and version. */
  readonly contenders: Readonly<Record<string, string>>;
}

export async function describeRun(command: string, seconds: number, contenders: readonly Contender[]): Promise<Run> {
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: await currentCommit(),
    command,
    machine: describeMachine(),
    seconds,
    contenders: Object.fromEntries(contenders.map(({ title, version }) => [title, version])),
  };
}

function describeMachine(): Machine {
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGigabytes: Math.round(totalmem() / 1e9),
    kernel: /^[\d.]+/.exec(release())?.[0] ?? release(),
    node: process.version,
  };
}

async function currentCommit(): Promise<string> {
  const git = async (...words: string[]): Promise<string> =>
    (await attempt('git', ['-C', CHECKOUT, ...words])).stdout.trim();
  const commit = await git('rev-parse', '--short', 'HEAD').catch(() => ''); // a machine without git
  if (commit === '') return 'unknown';
  return (await git('status', '--porcelain', '--untracked-files=no')) === '' ? commit : `${commit}+`;
}
