import type { ListenAddress, ProxyListener } from '../proxy-config.js';
import type { Router } from '../rules/router.js';
import { ConnectionTable } from './connection-table.js';
import { formatListenAddress } from './listen-on.js';
import type { ProxyCounters } from './proxy-counters.js';
import { type PortParts, ProxyPort, readPortSettings } from './proxy-port.js';

const MAX_CONNECTIONS = 10_000;

export interface ProxyServerOptions {
  /** Connections of clients on all listeners together. At the limit the one that is idle for longest makes room. */
  readonly maxConnections?: number;
}

interface OpenPort {
  /** The place in the configuration, as text. */
  readonly place: string;
  readonly port: ProxyPort;
}

/** All listeners of a proxy, with their connections. */
export class ProxyServer implements AsyncDisposable {
  readonly #counters: ProxyCounters;
  readonly #table: ConnectionTable;
  #ports: readonly OpenPort[] = [];

  private constructor(counters: ProxyCounters, { maxConnections = MAX_CONNECTIONS }: ProxyServerOptions) {
    this.#counters = counters;
    this.#table = new ConnectionTable(counters, maxConnections);
  }

  /** Listens on every listener, or on none. @throws {WireGuardError} ERR_LISTEN, ERR_CERTIFICATE */
  static async start(
    listeners: readonly ProxyListener[],
    router: Router,
    counters: ProxyCounters,
    options: ProxyServerOptions = {},
  ): Promise<ProxyServer> {
    const server = new ProxyServer(counters, options);
    await server.update(router, listeners);
    return server;
  }

  /** Where it listens, in the order of the listeners, with the ports that were chosen. */
  get addresses(): readonly ListenAddress[] {
    return this.#ports.map(({ port }) => port.at);
  }

  /**
   * Takes over other rules and listeners. Open connections go on, also those of a listener that is gone; further requests on
   * them follow the new rules. If a new listener cannot be opened, nothing changes.
   *
   * @throws {WireGuardError} ERR_LISTEN, ERR_CERTIFICATE
   */
  async update(router: Router, listeners: readonly ProxyListener[]): Promise<void> {
    const settings = listeners.map(readPortSettings);
    const free = [...this.#ports];
    const kept = listeners.map((listener) => takeByPlace(free, formatListenAddress(listener.at)));
    const parts = { router, counters: this.#counters, table: this.#table };
    const opened = await openAll(
      listeners.map(({ at }, i) => ({ at, settings: settings[i]!, isOpen: kept[i] !== undefined })),
      parts,
    );
    this.#ports = listeners.map((_, i) => kept[i] ?? opened[i]!);
    for (const [i, known] of kept.entries()) known?.port.update(router, settings[i]!);
    for (const { port } of free) port.close();
  }

  /** Ends every listener and every connection. */
  async close(): Promise<void> {
    for (const { port } of this.#ports) port.close();
    this.#ports = [];
    this.#table.closeAll();
    // The sockets of the system close in the next turn.
    await new Promise((resolve) => setImmediate(resolve));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

interface WantedPort {
  readonly at: ListenAddress;
  readonly settings: ReturnType<typeof readPortSettings>;
  readonly isOpen: boolean;
}

/** Opens the ports that are not open, all or none. */
async function openAll(wanted: readonly WantedPort[], parts: PortParts): Promise<(OpenPort | undefined)[]> {
  const opened: (OpenPort | undefined)[] = [];
  try {
    for (const { at, settings, isOpen } of wanted) {
      const place = formatListenAddress(at);
      opened.push(isOpen ? undefined : { place, port: await ProxyPort.open(at, parts, settings) });
    }
    return opened;
  } catch (error) {
    for (const open of opened) open?.port.close();
    throw error;
  }
}

/** Removes the port of a place from a list, and returns it. */
function takeByPlace(ports: OpenPort[], place: string): OpenPort | undefined {
  const at = ports.findIndex((port) => port.place === place);
  return at < 0 ? undefined : ports.splice(at, 1)[0];
}
