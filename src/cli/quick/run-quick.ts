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

/** The output of a verb. */
export interface QuickOutput {
  write(text: string): void;
  writeError(text: string): void;
}

/** A verb and its arguments. */
export interface QuickCall {
  readonly verb: QuickVerb;
  /** An interface or a file. */
  readonly target: string;
  /** The implementation that makes the interface, if the user chose one. */
  readonly implementation: string | undefined;
  /** The program was called as `wg-quick`. */
  readonly isStock: boolean;
}

/**
 * Runs a verb of wg-quick on this machine. Ctrl-C undoes its work.
 *
 * @returns Exit status after an interruption, else 0.
 * @throws {WireGuardError} Any failure.
 */
export async function runQuick(call: QuickCall, output: QuickOutput): Promise<number> {
  const interruption = new Interruption();
  try {
    const host = new SystemQuickHost((text) => output.writeError(text), interruption.signal);
    const warn = (text: string) => output.writeError(text);
    // An interface must come down whatever its file contains, and `strip` leaves errors to the readers of its output.
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
