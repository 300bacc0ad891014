import type { Addon } from '../../addon/interface.js';
import { AddonMissingError, loadAddon } from '../../addon/load.js';
import { UapiServer } from '../../control/uapi-server.js';
import {
  refuseLiveSocket,
  UapiSocketFile,
  type UapiSocketFileEvents,
  uapiSocketPath,
} from '../../control/uapi-socket-file.js';
import { Device } from '../../core/device.js';
import { WireGuardError } from '../../core/errors.js';
import { NativeAead } from '../../crypto/native-aead.js';
import { nativeCrypto } from '../../crypto/native-crypto.js';
import { Driver } from '../../host/driver.js';
import { LinuxTun } from '../../host/linux-tun.js';
import { NativeSocket } from '../../host/native-socket.js';
import { nodeEnvironment } from '../../host/node-environment.js';
import { RouteMonitor } from '../../host/route-monitor.js';
import { type Endpoint, endpointEquals } from '../../wire/endpoint.js';
import type { Log } from './log.js';
import type { DaemonOptions } from './options.js';
import { PeerWatch } from './peer-watch.js';
import { TunnelControl } from './tunnel-control.js';

/**
 * One interface with everything behind it: TUN, UDP sockets, device, loop and control socket.
 *
 * Lives from `start` until the interface or the control socket is removed, or `close` is called.
 */
export class TunnelProcess {
  readonly name: string;
  /** Settles with the reason when there is nothing left to serve. */
  readonly ended: Promise<string>;

  readonly #log: Log;
  readonly #device: Device;
  readonly #driver: Driver;
  readonly #control: TunnelControl;
  readonly #tun: LinuxTun;
  readonly #closers: (() => void)[] = [];
  #end: (reason: string) => void = () => {};

  /** Makes the interface and its control socket. @throws {WireGuardError} Nothing is left behind then. */
  static async start(options: DaemonOptions, log: Log): Promise<TunnelProcess> {
    if (options.uapiDescriptor === undefined) await refuseLiveSocket(uapiSocketPath(options.interfaceName));
    const addon = requireAddon();
    const tun = openTun(addon, options);
    let tunnel: TunnelProcess | undefined;
    try {
      tunnel = new TunnelProcess(addon, tun, options, log);
      await tunnel.#listen(options);
      return tunnel;
    } catch (error) {
      if (tunnel === undefined) tun.close();
      tunnel?.close();
      throw error;
    }
  }

  private constructor(addon: Addon, tun: LinuxTun, options: DaemonOptions, log: Log) {
    this.name = tun.name;
    this.#log = log;
    this.#tun = tun;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });

    const aead = new NativeAead(addon, options.cryptoThreads);
    const openSocket = (port: number, mark: number) => this.#openSocket(addon, port, mark, options.isOffloading);
    const socket = openSocket(0, 0);
    this.#device = new Device({ crypto: nativeCrypto(addon), environment: nodeEnvironment, aead });
    this.#driver = new Driver({ device: this.#device, aead, socket, tun });
    this.#control = new TunnelControl({
      device: this.#device,
      driver: this.#driver,
      openSocket,
    });
    this.#closers.push(
      () => this.#tun.close(),
      () => this.#device.close(),
      () => this.#driver.socket.close(),
      () => this.#driver.close(),
    );
    this.#followLink();
    this.#followRoutes(addon);
    if (log.level === 'debug') this.#followPeers();
  }

  /** Follows peers that the file knows by name to new addresses. @param configFile The file that set the interface up. */
  async followNames(configFile: string): Promise<void> {
    // Loaded here: a tunnel without a file needs neither the reader of files nor the resolver.
    const { EndpointWatch } = await import('../quick/endpoint-watch.js');
    const watch = new EndpointWatch({
      configFile,
      device: {
        peers: async () => this.#control.state.peers,
        apply: async (change) => this.#control.apply(change),
      },
      log: (text) => this.#log.info(text),
    });
    watch.start();
    this.#closers.push(() => watch.stop());
  }

  /** Ends everything, the last part first; the interface disappears. */
  close(): void {
    for (const close of this.#closers.splice(0).reverse()) close();
  }

  async #listen({ uapiDescriptor }: DaemonOptions): Promise<void> {
    const server = new UapiServer(this.#control, {
      onRefused: (operation, { errno, key, reason }) =>
        this.#log.error(`${operation} refused with errno ${errno}: ${key === '' ? '' : `${key}: `}${reason}`),
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

  #openSocket(addon: Addon, port: number, mark: number, isOffloading: boolean): NativeSocket {
    const offloads = { sendOffload: isOffloading, receiveOffload: isOffloading };
    const socket = NativeSocket.open(addon, port, { mark, ...offloads });
    socket.onSourceRefused = (endpoint) => this.#forgetSource(endpoint);
    this.#log.info(`listening on UDP port ${socket.port}`);
    return socket;
  }

  #forgetSource(refused: Endpoint): void {
    this.#device.forgetSources((endpoint) => endpointEquals(endpoint.words, 0, refused.words, 0));
  }

  #followLink(): void {
    this.#tun.onRemoved = () => this.#end('its interface was removed');
    this.#tun.onChange = () => this.#applyLink();
    this.#applyLink();
  }

  #applyLink(): void {
    const { isUp, mtu } = this.#tun;
    this.#log.info(`link ${isUp ? 'up' : 'down'}, MTU ${mtu}`);
    this.#device.setMtu(mtu);
    this.#device.setUp(isUp, Math.floor(performance.now()));
    this.#driver.settle();
  }

  #followRoutes(addon: Addon): void {
    const monitor = RouteMonitor.open(addon);
    monitor.onChange = () =>
      this.#device.forgetSources((endpoint) => monitor.isSourceStale(endpoint, this.#control.fwmark));
    this.#closers.push(() => monitor.close());
  }

  #followPeers(): void {
    const watch = new PeerWatch(this.#device, this.#log);
    this.#closers.push(() => watch.close());
  }
}

/** The loader stands on the lowest floor and has no error of ours. */
function requireAddon(): Addon {
  try {
    return loadAddon();
  } catch (error) {
    if (!(error instanceof AddonMissingError)) throw error;
    throw new WireGuardError('ERR_ADDON_MISSING', error.message, { cause: error });
  }
}

function openTun(addon: Addon, { tunDescriptor, interfaceName, isOffloading }: DaemonOptions): LinuxTun {
  const options = { offload: isOffloading };
  if (tunDescriptor !== undefined) return LinuxTun.adopt(addon, tunDescriptor, options);
  return LinuxTun.open(addon, interfaceName, options);
}
