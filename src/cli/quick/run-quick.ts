import { chooseBackend } from './backend.js';
import { down } from './down.js';
import { Interruption } from './interruption.js';
import { findQuickFile, type QuickFile } from './quick-file.js';
import type { QuickHost } from './quick-host.js';
import type { QuickVerb } from './quick-verbs.js';
import { save } from './save.js';
import { strip } from './strip.js';
import { SystemQuickHost } from './system-quick-host.js';
import { up } from './up.js';

/** Where a verb writes. */
export interface QuickOutput {
  write(text: string): void;
  writeError(text: string): void;
}

/** A verb with what belongs to it on the command line. */
export interface QuickCall {
  readonly verb: QuickVerb;
  /** An interface or a file. */
  readonly target: string;
  /** What makes the interface, if the user said so. */
  readonly implementation: string | undefined;
  /** Called as `wg-quick`. */
  readonly isStock: boolean;
}

/**
 * Does what wg-quick does, on this machine. Ctrl-C undoes what was done.
 *
 * @returns Exit status after an interruption, else 0.
 * @throws {WireGuardError} Whatever went wrong.
 */
export async function runQuick(call: QuickCall, output: QuickOutput): Promise<number> {
  const interruption = new Interruption();
  try {
    const host = new SystemQuickHost((text) => output.writeError(text), interruption.signal);
    const warn = (text: string) => output.writeError(text);
    // An interface that is up has to come down, and a file that is to be stripped is for others to judge.
    const options = { isLenient: call.verb !== 'up', mayBeMissing: call.verb === 'down' };
    await VERBS[call.verb](host, findQuickFile(host, call.target, warn, options), call, output);
    return 0;
  } catch (error) {
    if (interruption.status === undefined) throw error;
    output.writeError(`${error instanceof Error ? error.message : error}\n`);
    return interruption.status;
  } finally {
    interruption.dispose();
  }
}

type Work = (host: QuickHost, file: QuickFile, call: QuickCall, output: QuickOutput) => Promise<void>;

const VERBS: Readonly<Record<QuickVerb, Work>> = {
  up: async (host, file, { implementation, isStock }) =>
    await up(host, file, chooseBackend(implementation, process.env, isStock)),
  down: async (host, file) => await down(host, file),
  save: async (host, file) => await save(host, file),
  strip: async (_host, file, _call, output) => output.write(strip((await file.read()).document)),
};
