import { type Addon, LINK_CHANGED, LINK_DELETED, MONITOR_LINKS, type NativeMonitor } from '../addon/interface.js';

/** The state of a network interface. */
export interface LinkState {
  readonly index: number;
  readonly mtu: number;
  /** Set up by the administrator (IFF_UP). */
  readonly isUp: boolean;
}

const IFF_UP = 1;
const OWN_NAMESPACE = -1;

/** Watches one interface in one network namespace. Source: rtnetlink(7). */
export class LinkMonitor {
  /** Called when the interface changed, or when lost messages may have reported a change. */
  onChange: () => void = nothing;
  /** Called when the interface left the namespace because it was deleted or moved. */
  onGone: () => void = nothing;

  readonly #addon: Addon;
  readonly #monitor: NativeMonitor;
  #index = 0;

  /**
   * @param namespaceDescriptor An open network namespace; the caller's own if absent. The descriptor is not retained and does not
   *   keep the namespace alive.
   * @returns −errno where the system refuses: another namespace needs CAP_NET_ADMIN and CAP_NET_BROADCAST.
   */
  static open(addon: Addon, namespaceDescriptor = OWN_NAMESPACE): LinkMonitor | number {
    const monitor = addon.monitorOpen(MONITOR_LINKS, namespaceDescriptor);
    return typeof monitor === 'number' ? monitor : new LinkMonitor(addon, monitor);
  }

  private constructor(addon: Addon, monitor: NativeMonitor) {
    this.#addon = addon;
    this.#monitor = monitor;
    addon.watch(monitor, () => this.#read());
    addon.setReferenced(monitor, false);
  }

  /** Reads the state of an interface and watches it from then on. @returns `undefined` if there is no such interface. */
  state(name: string): LinkState | undefined {
    const out = new Int32Array(3);
    if (this.#addon.monitorLink(this.#monitor, name, out) < 0) return undefined;
    const [index = 0, mtu = 0, flags = 0] = out;
    this.#index = index;
    return { index, mtu, isUp: (flags & IFF_UP) !== 0 };
  }

  close(): void {
    this.onChange = nothing;
    this.onGone = nothing;
    this.#addon.close(this.#monitor);
  }

  #read(): void {
    const what = this.#addon.monitorRead(this.#monitor, this.#index);
    if (what <= 0) return;
    if ((what & LINK_DELETED) !== 0) this.onGone();
    else if ((what & LINK_CHANGED) !== 0) this.onChange();
  }
}

function nothing(): void {}
