import type { Addon } from '../../addon/interface.js';
import type { DeviceControl } from '../../control/device-control.js';
import { UapiServer } from '../../control/uapi-server.js';
import {
  refuseLiveSocket,
  UapiSocketFile,
  type UapiSocketFileEvents,
  uapiSocketPath,
} from '../../control/uapi-socket-file.js';
import type { DeviceChange } from '../../core/configuration.js';
import type { LinuxTun } from '../../host/linux-tun.js';
import { RouteMonitor } from '../../host/route-monitor.js';
import type { Tunnel } from '../../host/tunnel.js';
import { logEvents } from './event-log.js';
import type { Log } from './log.js';
import { openTun, openTunnel } from './native-parts.js';
import type { DaemonOptions } from './options.js';
import type { StateKeeper } from './state-keeper.js';

/**
 * The tunnel of one interface with what belongs to a daemon: control socket, routes, log, names of endpoints.
 *
 * Lives from `start` until the interface or the control socket is removed, or `close` is called.
 */
export class TunnelProcess {
  readonly name: string;
  /** Settles with the reason when nothing is left to serve. */
  readonly ended: Promise<string>;

  readonly #log: Log;
  readonly #tunnel: Tunnel;
  readonly #tun: LinuxTun;
  /** The tunnel as clients of the control socket change it. */
  #control: DeviceControl;
  readonly #closers: (() => void)[] = [];
  #end: (reason: string) => void = () => {};

  /** Makes the interface and its control socket. @throws {WireGuardError} Nothing is left behind then. */
  static async start(addon: Addon, options: DaemonOptions, log: Log): Promise<TunnelProcess> {
    if (options.uapiDescriptor === undefined) await refuseLiveSocket(uapiSocketPath(options.interfaceName));
    const tun = openTun(addon, options);
    const tunnel = await openTunnel(addon, tun, options, log);
    const started = new TunnelProcess(tunnel, tun, log);
    try {
      started.#followRoutes(addon);
      if (options.configFile !== undefined) await started.#followNames(options.configFile);
      const keeper = await started.#keepState(options);
      await started.#listen(options);
      keeper?.save(); // not earlier: the supervisor restarts a daemon that has come so far
      return started;
    } catch (error) {
      started.close();
      throw error;
    }
  }

  private constructor(tunnel: Tunnel, tun: LinuxTun, log: Log) {
    this.name = tun.name;
    this.#log = log;
    this.#tunnel = tunnel;
    this.#control = tunnel;
    this.#tun = tun;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#closers.push(() => tunnel.close());
    tun.onRemoved = () => this.#end('its interface was removed');
    tunnel.onLinkChange = () => this.#logLink();
    this.#logLink();
    if (log.level === 'debug') void logEvents(tunnel, log);
  }

  /** Ends everything, the last part first; the interface disappears. */
  close(): void {
    for (const close of this.#closers.splice(0).reverse()) close();
  }

  async #listen({ uapiDescriptor }: DaemonOptions): Promise<void> {
    const server = new UapiServer(this.#control, {
      onRefused: (operation, { errno, key, reason }) =>
        this.#log.error(`${operation} refused with errno ${errno}: ${key === '' ? '' : `${key}: `}${reason}`),
      onFailed: ({ message }) => this.#log.error(`a request on the control socket failed: ${message}`),
    });
    const events: UapiSocketFileEvents = {
      onConnection: (socket) => void server.serve(socket),
      onRemoved: () => this.#end('its control socket was removed'),
    };
    const path = uapiSocketPath(this.name);
    const file =
      uapiDescriptor === undefined
        ? await UapiSocketFile.create(path, events)
        : await UapiSocketFile.adopt(uapiDescriptor, path, events);
    this.#closers.push(
      () => server.close(),
      () => file.close(),
    );
  }

  /** Follows peers whose endpoint is a name to new addresses. @param configFile The file that set the interface up. */
  async #followNames(configFile: string): Promise<void> {
    // Loaded here: a tunnel without a file needs neither the reader of files nor the resolver.
    const { EndpointWatch, recordedLookups } = await import('../quick/endpoint-watch.js');
    const tunnel = this.#tunnel;
    const watch = new EndpointWatch({
      configFile,
      device: { peers: async () => tunnel.state.peers, apply: (change) => tunnel.apply(change) },
      lookedUp: recordedLookups(this.name),
      log: (text) => this.#log.info(text),
    });
    this.#afterChange((change) => watch.note(change));
    watch.start();
    this.#closers.push(() => watch.stop());
  }

  /** Takes over the state that a dead daemon has left, and keeps the state for the next daemon. */
  async #keepState({ stateDescriptor }: DaemonOptions): Promise<StateKeeper | undefined> {
    if (stateDescriptor === undefined) return undefined;
    const { SavedState } = await import('./saved-state.js');
    const { StateKeeper } = await import('./state-keeper.js');
    const { clearChange } = await import('../../control/config/device-change.js');
    const keeper = new StateKeeper(new SavedState(stateDescriptor), () => this.#tunnel.state);
    const left = keeper.restored();
    if (left !== undefined) {
      await this.#control.apply(left);
      clearChange(left);
      this.#log.error(`the daemon before this one died: its ${left.peers.length} peers are restored`);
    }
    this.#afterChange(() => keeper.changed());
    void this.#saveEndpoints(keeper);
    this.#closers.push(() => keeper.close());
    return keeper;
  }

  /** Saves the endpoints that peers have roamed to, since a peer behind a NAT cannot be found again. */
  async #saveEndpoints(keeper: StateKeeper): Promise<void> {
    for await (const { kind } of this.#tunnel.events) if (kind === 'roamed') keeper.changedSlightly();
  }

  /** Calls `callback` after each change that comes over the control socket. */
  #afterChange(callback: (change: DeviceChange) => void): void {
    const control = this.#control;
    this.#control = {
      read: (reader) => control.read(reader),
      explain: () => this.#tunnel.explain(),
      apply: async (change) => {
        await control.apply(change);
        callback(change);
      },
    };
  }

  #followRoutes(addon: Addon): void {
    const monitor = RouteMonitor.open(addon);
    monitor.onChange = () => this.#tunnel.routesChanged();
    this.#tunnel.isSourceStale = (endpoint, mark) => monitor.isSourceStale(endpoint, mark);
    this.#closers.push(() => monitor.close());
  }

  #logLink(): void {
    const { isUp, mtu, watchError } = this.#tun;
    this.#log.info(`link ${isUp ? 'up' : 'down'}, MTU ${mtu}`);
    if (watchError !== undefined) this.#log.error(watchError);
  }
}
