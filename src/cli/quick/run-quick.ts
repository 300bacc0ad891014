import { WireGuardError } from '../../core/errors.js';
import { chooseBackend } from './backend.js';
import { findConfig, interfaceOf } from './config-path.js';
import { down } from './down.js';
import { Interruption } from './interruption.js';
import { withInterfaceLock } from './locks.js';
import { emptyQuickConfig, type QuickConfig, readQuickConfig } from './quick-config.js';
import type { QuickHost } from './quick-host.js';
import { saveConfig } from './save.js';
import { strip } from './strip.js';
import { SystemQuickHost } from './system-quick-host.js';
import { up } from './up.js';

/** What the verbs of wg-quick have in common. */
export type QuickVerb = 'up' | 'down' | 'save' | 'strip';

export const QUICK_VERBS: readonly QuickVerb[] = ['up', 'down', 'save', 'strip'];

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
    const config = await configOf(host, call, output);
    await VERBS[call.verb](host, config, call, output);
    return 0;
  } catch (error) {
    if (interruption.status === undefined) throw error;
    output.writeError(`${error instanceof Error ? error.message : error}\n`);
    return interruption.status;
  } finally {
    interruption.dispose();
  }
}

async function configOf(host: QuickHost, { verb, target }: QuickCall, output: QuickOutput): Promise<QuickConfig> {
  try {
    const warn = (text: string) => output.writeError(text);
    // What is up has to come down, and what is to be stripped is for others to judge.
    return await readQuickConfig(findConfig(target), warn, { isLenient: verb !== 'up' });
  } catch (error) {
    const interfaceName = interfaceOf(target);
    const isKnown = interfaceName !== undefined && host.records.read(interfaceName) !== undefined;
    if (verb !== 'down' || !isKnown || !(error instanceof WireGuardError)) throw error;
    host.commands.warn(`${error.message}: taking ${interfaceName} down without its commands`);
    return emptyQuickConfig({ interfaceName, file: target });
  }
}

type Work = (host: QuickHost, config: QuickConfig, call: QuickCall, output: QuickOutput) => Promise<void>;

const VERBS: Readonly<Record<QuickVerb, Work>> = {
  up: async (host, config, { implementation, isStock }) =>
    await up(host, config, chooseBackend(implementation, process.env, isStock)),
  down: async (host, config) => await down(host, config),
  save: async (host, config) => {
    await withInterfaceLock(host, config.interfaceName, async () => {
      await saveConfig(host, config);
    });
  },
  strip: async (_host, config, _call, output) => output.write(strip(config.document)),
};
