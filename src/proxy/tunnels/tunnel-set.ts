import { type ConfigDocument, clearChange, readDeviceChange } from '../../control/config/index.js';
import type { DeviceChange } from '../../core/configuration.js';
import { openTunnel } from '../../rootless/open-tunnel.js';
import type { TunnelHost } from '../../rootless/tunnel-host.js';
import { TunnelExit } from '../exits/tunnel-exit.js';
import type { ProxyTunnel } from '../proxy-config.js';

const NAME_RETRIES = 2;

/** A tunnel that is open. */
export interface RunningTunnel {
  readonly config: ProxyTunnel;
  readonly host: TunnelHost;
  readonly exit: TunnelExit;
}

/** A change of all tunnels that can be made or left. */
export interface TunnelChange {
  /** The tunnels after the change, in the order of the configuration. */
  readonly tunnels: readonly RunningTunnel[];
  /** Must be called when nothing uses the tunnels any more that are gone. */
  commit(): Promise<void>;
  abort(): Promise<void>;
}

/** The tunnels of a proxy, which a reload replaces all together or not at all. */
export class TunnelSet {
  #tunnels: readonly RunningTunnel[] = [];

  get tunnels(): readonly RunningTunnel[] {
    return this.#tunnels;
  }

  /**
   * Opens the tunnels that are new, and those whose [Interface] has changed, beside all others. A tunnel with other peers stays,
   * with its sessions and connections.
   *
   * @throws {WireGuardError} ERR_NAME_RESOLUTION, ERR_PORT_IN_USE, …; then nothing has changed.
   */
  async prepare(configs: readonly ProxyTunnel[], signal: AbortSignal): Promise<TunnelChange> {
    const opened: RunningTunnel[] = [];
    const changes: { readonly host: TunnelHost; readonly change: DeviceChange }[] = [];
    const release = (): void => {
      for (const { change } of changes) clearChange(change);
    };
    try {
      const tunnels: RunningTunnel[] = [];
      for (const config of configs) {
        const known = this.#tunnels.find((tunnel) => isSameHost(tunnel.config, config));
        if (known === undefined) {
          const host = await openTunnel(config.document, { signal });
          opened.push({ config, host, exit: new TunnelExit(config.name, host, config.family) });
          tunnels.push(opened.at(-1)!);
          continue;
        }
        tunnels.push({ ...known, config });
        if (known.config.document.text === config.document.text) continue;
        const names = { retries: NAME_RETRIES, interruption: signal, warn: () => {} };
        changes.push({ host: known.host, change: await readDeviceChange(config.document, names) });
      }
      const abort = async (): Promise<void> => {
        release();
        for (const { host } of opened) await host.close();
      };
      return { tunnels, commit: () => this.#commit(tunnels, changes).finally(release), abort };
    } catch (error) {
      release();
      for (const { host } of opened) await host.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    const closing = this.#tunnels.map(({ host }) => host.close());
    this.#tunnels = [];
    await Promise.all(closing);
  }

  async #commit(
    tunnels: readonly RunningTunnel[],
    changes: readonly { readonly host: TunnelHost; readonly change: DeviceChange }[],
  ): Promise<void> {
    const kept = new Set(tunnels.map(({ host }) => host));
    const gone = this.#tunnels.filter(({ host }) => !kept.has(host));
    this.#tunnels = tunnels;
    for (const { host, change } of changes) await host.replacePeers(change);
    for (const { host } of gone) await host.close();
  }
}

/** Tests whether a tunnel can stay open: its own keys, addresses and settings are the same, whatever its peers are. */
function isSameHost(a: ProxyTunnel, b: ProxyTunnel): boolean {
  return a.name === b.name && a.family === b.family && hostText(a.document) === hostText(b.document);
}

function hostText({ sections }: ConfigDocument): string {
  const own = sections.filter(({ kind }) => kind === 'interface').flatMap(({ body }) => body);
  return JSON.stringify(own.filter(({ kind }) => kind === 'entry').map(({ key, value }) => [key, value]));
}
