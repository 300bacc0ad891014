import { once } from 'node:events';

import { WireGuardError } from '../../core/errors.js';
import type { ProxyConfig } from '../../proxy/proxy-config.js';
import type { CommandIo } from '../command.js';
import { formatError } from '../error-text.js';
import type { ProbeServer } from '../probe-server.js';
import { carryStdio } from './carry-stdio.js';
import { openInfoServer } from './info-server.js';
import type { LoadedConfig } from './load-config.js';
import { RunningProxy } from './running-proxy.js';

export interface ProxyRun {
  readonly config: ProxyConfig;
  /** Reads the configuration again. */
  load(): Promise<LoadedConfig>;
  readonly isVerbose: boolean;
}

/**
 * Runs a proxy until it is interrupted, or until standard input and output have ended where they are connected.
 *
 * @returns Exit status.
 * @throws {WireGuardError} If it cannot start.
 */
export async function runProxy({ config, load, isVerbose }: ProxyRun, io: CommandIo): Promise<number> {
  const isSilent = config.stdio !== undefined && !isVerbose;
  const print = (line: string): void => {
    if (!isSilent) io.writeError(`${line}\n`);
  };
  const proxy = new RunningProxy({ print, isVerbose });
  const reloads = new Reloads(proxy, load, io);
  const interruption = io.interruption(() => reloads.request(interruption));
  let info: ProbeServer | undefined;
  try {
    await proxy.follow(config, interruption);
    for (const line of proxy.lines()) print(line);
    if (config.info !== undefined) {
      info = await openInfoServer(config.info, proxy);
      print(`Health and metrics: ${info.url}/readyz and ${info.url}/metrics`);
    }
    reloads.start(interruption);
    if (config.stdio !== undefined) return await carryStdio(io.stream!, config.stdio, proxy.router, interruption);
    if (!interruption.aborted) await once(interruption, 'abort');
    return 0;
  } catch (error) {
    if (interruption.aborted) return 0; // it was still starting
    throw error;
  } finally {
    info?.close();
    await reloads.end();
    await proxy.close();
  }
}

/** Reads the configuration again on request, one at a time. */
class Reloads {
  readonly #proxy: RunningProxy;
  readonly #load: () => Promise<LoadedConfig>;
  readonly #io: CommandIo;
  #isStarted = false;
  #isWanted = false;
  #work: Promise<void> | undefined;

  constructor(proxy: RunningProxy, load: () => Promise<LoadedConfig>, io: CommandIo) {
    this.#proxy = proxy;
    this.#load = load;
    this.#io = io;
  }

  request(interruption: AbortSignal): void {
    this.#isWanted = true;
    if (this.#isStarted) this.#work ??= this.#run(interruption);
  }

  /** Requests before this wait for it. */
  start(interruption: AbortSignal): void {
    this.#isStarted = true;
    if (this.#isWanted) this.request(interruption);
  }

  async end(): Promise<void> {
    await this.#work;
  }

  async #run(interruption: AbortSignal): Promise<void> {
    while (this.#isWanted && !interruption.aborted) {
      this.#isWanted = false;
      await this.#reload(interruption);
    }
    this.#work = undefined;
  }

  async #reload(interruption: AbortSignal): Promise<void> {
    try {
      const { config, warnings } = await this.#load();
      for (const warning of warnings) this.#io.writeError(`${warning}\n`);
      await this.#proxy.follow(config, interruption);
      this.#io.writeError(`Read the configuration again:\n${this.#proxy.lines().join('\n')}\n`);
    } catch (error) {
      if (interruption.aborted) return;
      if (!(error instanceof WireGuardError)) throw error;
      this.#io.writeError(`${formatError('wiretype proxy', error)}The old configuration stays in use.\n`);
    }
  }
}
