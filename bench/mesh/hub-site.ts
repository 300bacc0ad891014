/** A hub in a host of its own, on the loopback or on a bridge. */
import { join } from 'node:path';

import { CHECKOUT } from '../../test/lab/implementation.js';
import type { Host } from '../../test/lab/namespace.js';
import type { Program } from '../../test/lab/program.js';
import { HUB_JS } from '../contender.js';
import type { Site } from '../site.js';

export interface HubSite {
  readonly host: Host;
  readonly hub: Program;
  /** Runs `wiretype mesh` with words at the hub. */
  readonly socketPath: string;
  /** Ends the hub, and starts it again. */
  readonly restart: () => Promise<void>;
  readonly ask: (...words: readonly string[]) => Promise<string>;
}

const WIRETYPE = `${CHECKOUT}bin/wiretype`;

export function environmentOf({ contender }: Site): Record<string, string> {
  return contender.title === HUB_JS ? { WIRETYPE_NO_ADDON: '1' } : {};
}

/** @param address Where nodes reach the hub. */
export async function openHub(site: Site, host: Host, address: string): Promise<HubSite> {
  const state = join(site.lab.folder, `state-of-${host.namespace}`);
  const words = ['--endpoint', address, '--port', '51900', '--page', '127.0.0.1:8080', '--state', state];
  const start = async (...action: readonly string[]): Promise<Program> => {
    const args = ['--inspect=127.0.0.1:9229', WIRETYPE, 'hub', ...action, ...words];
    const program = host.start(process.execPath, args, { env: environmentOf(site) });
    await program.says(/The page is at/);
    return program;
  };
  const hub = await start('init', 'home');
  const restart = async (): Promise<void> => {
    hub.signal('SIGTERM');
    await hub.exited;
    await start('run');
  };
  const ask = (...more: readonly string[]) => host.run(WIRETYPE, ['mesh', ...more, '--state', state]);
  return { host, hub, restart, ask, socketPath: join(state, 'control.sock') };
}
