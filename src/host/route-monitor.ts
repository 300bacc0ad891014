import { type Addon, MONITOR_ROUTES, type NativeMonitor, ROUTES_CHANGED } from '../addon/interface.js';
import { WireGuardError } from '../core/errors.js';
import { ENDPOINT_SOURCE_INTERFACE_AT, type Endpoint } from '../wire/endpoint.js';
import { errnoName } from './errno.js';

/** Changes come in bursts (a link that comes up): this long after the first change, all are reported as one. */
const SETTLE_MS = 20;
/** While changes keep coming, as from a routing daemon, the time between two reports doubles up to this limit. */
const MAX_SETTLE_MS = 2_000;
const OWN_NAMESPACE = -1;

/**
 * Watches addresses and routes of the namespace of the UDP sockets, and tests whether a
 * remembered source address is still right ("sticky, but not too sticky").
 *
 * Source: rtnetlink(7) RTM_GETROUTE.
 */
export class RouteMonitor {
  /** Called when addresses or routes changed. */
  onChange: () => void = nothing;

  readonly #addon: Addon;
  readonly #monitor: NativeMonitor;
  #timer: NodeJS.Timeout | undefined;
  #settleMs = SETTLE_MS;
  #reportedMs = -Infinity;

  /** @throws {WireGuardError} ERR_SOCKET_REFUSED */
  static open(addon: Addon): RouteMonitor {
    const monitor = addon.monitorOpen(MONITOR_ROUTES, OWN_NAMESPACE);
    if (typeof monitor === 'number')
      throw new WireGuardError('ERR_SOCKET_REFUSED', `The netlink socket could not be opened: ${errnoName(-monitor)}.`);
    return new RouteMonitor(addon, monitor);
  }

  private constructor(addon: Addon, monitor: NativeMonitor) {
    this.#addon = addon;
    this.#monitor = monitor;
    addon.watch(monitor, () => this.#read());
    addon.setReferenced(monitor, false);
  }

  /** Returns the interface of the route to the endpoint from its source address, if it has one; or −errno. */
  routeInterface(endpoint: Endpoint, mark: number): number {
    return this.#addon.monitorRoute(this.#monitor, endpoint.bytes, mark);
  }

  /**
   * Tests whether the endpoint's source no longer fits: its address is gone, or (IPv4, as in the kernel's
   * WireGuard) the best route from the address leaves by another interface than the one that the datagrams came in by.
   */
  isSourceStale(endpoint: Endpoint, mark: number): boolean {
    if (!endpoint.hasSource) return false;
    const index = this.routeInterface(endpoint, mark);
    if (index < 0) return true;
    return endpoint.family === 4 && index !== endpoint.words[ENDPOINT_SOURCE_INTERFACE_AT / 4];
  }

  close(): void {
    clearTimeout(this.#timer);
    this.onChange = nothing;
    this.#addon.close(this.#monitor);
  }

  #read(): void {
    const what = this.#addon.monitorRead(this.#monitor, 0);
    if (what <= 0 || (what & ROUTES_CHANGED) === 0) return;
    if (this.#timer !== undefined) return;
    const isBusy = performance.now() - this.#reportedMs < MAX_SETTLE_MS;
    this.#settleMs = isBusy ? Math.min(2 * this.#settleMs, MAX_SETTLE_MS) : SETTLE_MS;
    this.#timer = setTimeout(() => this.#report(), this.#settleMs).unref();
  }

  #report(): void {
    this.#timer = undefined;
    this.#reportedMs = performance.now();
    this.onChange();
  }
}

function nothing(): void {}
