import { DirectExit } from '../../proxy/exits/direct-exit.js';
import { ForwardSet } from '../../proxy/forwards/forward-set.js';
import type { ForwardWays } from '../../proxy/forwards/open-forward.js';
import type { ProxyConfig } from '../../proxy/proxy-config.js';
import { Router } from '../../proxy/rules/router.js';
import { formatListenAddress } from '../../proxy/server/listen-on.js';
import { ProxyCounters } from '../../proxy/server/proxy-counters.js';
import { ProxyServer } from '../../proxy/server/proxy-server.js';
import { AliveCheck } from '../../proxy/tunnels/alive-check.js';
import { EndpointFollower } from '../../proxy/tunnels/endpoint-follower.js';
import { type TunnelHealth, tunnelHealth } from '../../proxy/tunnels/tunnel-health.js';
import { type RunningTunnel, TunnelSet } from '../../proxy/tunnels/tunnel-set.js';
import { deviceMetrics } from '../device/device-metrics.js';
import { formatExposition } from '../device/exposition-text.js';
import { LoggingRouter } from './logging-router.js';
import { proxyMetrics } from './proxy-metrics.js';
import { forwardLine, listenerLines, tunnelLine } from './start-lines.js';
import { readTunnel } from './tunnel-metrics.js';
import { TunnelWatch } from './tunnel-watch.js';

export interface RunningProxyOptions {
  /** Prints a line for people. */
  readonly print: (line: string) => void;
  /** Prints where each connection goes. */
  readonly isVerbose: boolean;
}

/** All parts of a proxy, which follow a configuration together: all of it, or nothing. */
export class RunningProxy {
  readonly #options: RunningProxyOptions;
  readonly #tunnels = new TunnelSet();
  readonly #direct = new DirectExit();
  readonly #counters = new ProxyCounters();
  readonly #forwards: ForwardSet;
  readonly #watch: TunnelWatch;
  readonly #endpoints: EndpointFollower;
  #checks = new Map<RunningTunnel['host'], AliveCheck>();
  #server: ProxyServer | undefined;
  #listeners: ProxyConfig['listeners'] = [];
  #router: Router | undefined;

  constructor(options: RunningProxyOptions) {
    this.#options = options;
    this.#watch = new TunnelWatch(options.print);
    this.#endpoints = new EndpointFollower(options.print);
    this.#forwards = new ForwardSet({
      onFailure: ({ from }, error) => options.print(`the forward from ${formatListenAddress(from)}: ${error.message}`),
    });
  }

  /** The way of connections, after the first `follow`. */
  get router(): Router {
    return this.#router!;
  }

  /**
   * Does what a configuration says from now on. What stays keeps its connections.
   *
   * @throws {WireGuardError} Then nothing has changed.
   */
  async follow(config: ProxyConfig, signal: AbortSignal): Promise<void> {
    const tunnels = await this.#tunnels.prepare(config.tunnels, signal);
    try {
      const router = this.#makeRouter(config, tunnels.tunnels);
      const forwards = await this.#forwards.prepare(config.forwards, waysOf(tunnels.tunnels, router, this.#direct));
      try {
        await this.#listen(config.listeners, router);
      } catch (error) {
        forwards.abort();
        throw error;
      }
      this.#router = router;
      forwards.commit();
    } catch (error) {
      await tunnels.abort();
      throw error;
    }
    await tunnels.commit();
    this.#follow(this.#tunnels.tunnels);
  }

  /** Describes what is open, line by line. */
  lines(): string[] {
    const addresses = this.#server?.addresses ?? [];
    return [
      ...this.#tunnels.tunnels.map(tunnelLine),
      ...this.#listeners.flatMap((listener, i) => listenerLines(listener, addresses[i]!)),
      ...this.#forwards.forwards.map(({ forward, port }) => forwardLine(forward, port)),
    ];
  }

  readiness(): { readonly ready: boolean; readonly tunnels: Readonly<Record<string, TunnelHealth>> } {
    const healths = this.#tunnels.tunnels.map(
      (tunnel) => [tunnel.config.name, tunnelHealth(tunnel, this.#checks.get(tunnel.host))] as const,
    );
    return { ready: healths.every(([, { ready }]) => ready), tunnels: Object.fromEntries(healths) };
  }

  metrics(): string {
    const readings = this.#tunnels.tunnels.map(readTunnel);
    const proxy = proxyMetrics(this.#counters, this.router.hits, this.readiness().tunnels);
    return formatExposition([...deviceMetrics(readings, Date.now()), ...proxy]);
  }

  /** Ends every listener, connection and tunnel. */
  async close(): Promise<void> {
    this.#watch.close();
    this.#endpoints.close();
    for (const check of this.#checks.values()) check.close();
    this.#forwards.close();
    await this.#server?.close();
    await this.#tunnels.close();
  }

  async #listen(listeners: ProxyConfig['listeners'], router: Router): Promise<void> {
    if (this.#server === undefined) this.#server = await ProxyServer.start(listeners, router, this.#counters);
    else await this.#server.update(router, listeners);
    this.#listeners = listeners;
  }

  #makeRouter({ rules }: ProxyConfig, tunnels: readonly RunningTunnel[]): Router {
    const parts = { tunnels: tunnels.map(({ exit }) => exit), direct: this.#direct, rules };
    return this.#options.isVerbose ? new LoggingRouter(parts, this.#options.print) : new Router(parts);
  }

  #follow(tunnels: readonly RunningTunnel[]): void {
    this.#watch.watch(tunnels);
    this.#endpoints.watch(tunnels);
    const before = this.#checks;
    this.#checks = new Map();
    for (const { host, config } of tunnels) {
      const known = before.get(host);
      const isKept = known?.follows(config) === true;
      if (isKept) before.delete(host);
      if (config.checkAlive.length > 0) this.#checks.set(host, isKept ? known : new AliveCheck(host, config));
    }
    for (const check of before.values()) check.close();
  }
}

function waysOf(tunnels: readonly RunningTunnel[], router: Router, direct: DirectExit): ForwardWays {
  const tunnel = (name: string | undefined) => (tunnels.find(({ config }) => config.name === name) ?? tunnels[0]!).exit;
  return { router, direct, tunnel };
}
