import { closeSync } from 'node:fs';

import {
  type Addon,
  ERROR_COUNTERS,
  MORE_WAITS,
  type NativeTun,
  ROWS_MASK,
  TUN_OFFLOAD_TCP,
  TUN_OFFLOAD_UDP,
  WATCH_ERROR,
} from '../addon/interface.js';
import { NativeBatches } from '../addon/native-batches.js';
import { DEFAULT_MTU } from '../core/constants.js';
import { WireGuardError } from '../core/errors.js';
import type { PacketBatch } from '../core/packets/packet-batch.js';
import { countersByErrno, Errno, errnoName } from './errno.js';
import { LinkMonitor, type LinkState } from './link-monitor.js';
import type { Tun } from './tun.js';

export interface LinuxTunOptions {
  /** TSO, USO and checksum offload where the kernel accepts them. Default: on. */
  readonly offload?: boolean;
}

const NAME = /^(?!\.{1,2}$)[^\s/:%\0]{1,15}$/u;
const MAX_NAME_BYTES = 15;
/** EPOLLERR can arrive before the interface is gone; it is checked again after this. */
const RETRY_MS = 20;

/**
 * A TUN interface of Linux over the addon.
 *
 * The TUN survives a rename and a move to another network namespace, where the link is then watched.
 *
 * Source: kernel documentation, networking/tuntap; TUNSETIFF, TUNSETOFFLOAD, TUNGETDEVNETNS.
 */
export class LinuxTun implements Tun {
  onReadable: () => void = nothing;
  onChange: () => void = nothing;
  onRemoved: () => void = nothing;

  readonly #addon: Addon;
  readonly #tun: NativeTun;
  readonly #batches: NativeBatches;
  readonly #errors: Uint32Array;
  #name: string;
  #link: LinkState = { index: 0, mtu: 0, isUp: false };
  #monitor: LinkMonitor | undefined;
  #watchError: string | undefined;
  /** Whether packets wait in the addon, where no event of the system announces them. */
  #hasMore = false;
  #isAnnounced = false;
  #isReading = true;
  #isClosed = false;
  #isRemoved = false;

  /** Makes the interface, or joins a persistent one. @throws {WireGuardError} ERR_INTERFACE_NAME, ERR_INTERFACE_BUSY, ERR_TUN_MISSING, ERR_TUN_PERMISSION, ERR_TUN_REFUSED */
  static open(addon: Addon, name: string, options: LinuxTunOptions = {}): LinuxTun {
    if (!NAME.test(name) || Buffer.byteLength(name) > MAX_NAME_BYTES)
      throw new WireGuardError('ERR_INTERFACE_NAME', `"${name}" is not a name for a network interface.`);
    const errors = new Uint32Array(ERROR_COUNTERS);
    const tun = addon.tunOpen(name, offloadOf(options), errors);
    if (typeof tun === 'number') throw openError(name, -tun);
    addon.tunSetMtu(tun, DEFAULT_MTU); // the initial MTU, which other programs may change
    return new LinuxTun(addon, tun, errors);
  }

  /** Adopts an open descriptor, which `close` closes. @throws {WireGuardError} ERR_TUN_DESCRIPTOR */
  static adopt(addon: Addon, descriptor: number, options: LinuxTunOptions = {}): LinuxTun {
    const errors = new Uint32Array(ERROR_COUNTERS);
    const tun = addon.tunAdopt(descriptor, offloadOf(options), errors);
    if (typeof tun === 'number')
      throw new WireGuardError(
        'ERR_TUN_DESCRIPTOR',
        `Descriptor ${descriptor} is no TUN interface: ${errnoName(-tun)}.`,
      );
    return new LinuxTun(addon, tun, errors);
  }

  private constructor(addon: Addon, tun: NativeTun, errors: Uint32Array) {
    this.#addon = addon;
    this.#tun = tun;
    this.#batches = new NativeBatches(addon);
    this.#errors = errors;
    this.#name = String(addon.tunName(tun));
    this.#watchLink();
    this.#watch();
  }

  get name(): string {
    return this.#name;
  }

  get mtu(): number {
    return this.#link.mtu;
  }

  get isUp(): boolean {
    return this.#link.isUp;
  }

  /** The reason why changes of the link are not watched; `undefined` while they are. */
  get watchError(): string | undefined {
    return this.#watchError;
  }

  /** Counts of packets that the system refused, by the name of the errno. */
  get writeErrors(): ReadonlyMap<string, number> {
    return countersByErrno(this.#errors);
  }

  /**
   * The open descriptor, for a child process: the interface exists as long as any process holds the descriptor.
   * Negative when closed.
   */
  get descriptor(): number {
    return this.#addon.tunDescriptor(this.#tun);
  }

  /** The offloads that the kernel accepted. */
  get offloads(): { readonly tcp: boolean; readonly udp: boolean } {
    const features = this.#addon.tunFeatures(this.#tun);
    return { tcp: (features & TUN_OFFLOAD_TCP) !== 0, udp: (features & TUN_OFFLOAD_UDP) !== 0 };
  }

  read(batch: PacketBatch): number {
    const result = this.#addon.tunRead(this.#tun, this.#batches.of(batch));
    const rows = Math.max(result, 0) & ROWS_MASK;
    batch.count = rows;
    batch.endpointCount = 0;
    this.#hasMore = result > 0 && (result & MORE_WAITS) !== 0;
    if (result === -Errno.EBADFD) this.#removed();
    else if (this.#hasMore) this.#announce();
    return rows;
  }

  write(batch: PacketBatch): void {
    if (this.#addon.tunWrite(this.#tun, this.#batches.of(batch), batch.count) === -Errno.EBADFD) this.#removed();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#monitor?.close();
    this.#addon.close(this.#tun);
  }

  setReading(isReading: boolean): void {
    if (this.#isClosed || isReading === this.#isReading) return;
    this.#isReading = isReading;
    this.#addon.setReading(this.#tun, isReading);
    if (isReading && this.#hasMore) this.#announce();
  }

  #announce(): void {
    if (this.#isAnnounced) return;
    this.#isAnnounced = true;
    setImmediate(() => {
      this.#isAnnounced = false;
      if (this.#hasMore && this.#isReading && !this.#isClosed) this.onReadable();
    });
  }

  #handle(events: number): void {
    if ((events & WATCH_ERROR) === 0) this.onReadable();
    else if (this.#isGone()) this.#removed();
    else setTimeout(() => this.#watch(), RETRY_MS);
  }

  #watch(): void {
    if (!this.#isClosed && this.#isReading) this.#addon.watch(this.#tun, (events) => this.#handle(events));
  }

  #isGone(): boolean {
    return typeof this.#addon.tunName(this.#tun) === 'number';
  }

  /** Calls `onRemoved` once, in a separate turn, since `read` and `write` are called from within the loop. */
  #removed(): void {
    if (this.#isRemoved || this.#isClosed) return;
    this.#isRemoved = true;
    setImmediate(() => {
      if (!this.#isClosed) this.onRemoved();
    });
  }

  /** Watches the link in its namespace. The last known state is kept if the system refuses. */
  #watchLink(): void {
    this.#monitor?.close();
    const namespace = this.#addon.tunNamespace(this.#tun);
    const monitor = LinkMonitor.open(this.#addon, namespace);
    if (namespace >= 0) closeSync(namespace);
    this.#monitor = typeof monitor === 'number' ? undefined : monitor;
    this.#watchError = typeof monitor === 'number' ? unwatched(this.#name, errnoName(-monitor)) : undefined;
    if (this.#monitor === undefined) return;

    this.#monitor.onChange = () => this.#linkChanged();
    this.#monitor.onGone = () => this.#linkGone();
    this.#link = this.#monitor.state(this.#name) ?? this.#link;
  }

  #linkGone(): void {
    if (this.#isGone()) {
      this.#removed();
      return;
    }
    const before = this.#link;
    this.#name = String(this.#addon.tunName(this.#tun));
    this.#watchLink();
    this.#tellChange(before);
  }

  #linkChanged(): void {
    const name = this.#addon.tunName(this.#tun);
    if (typeof name === 'number') {
      this.#removed();
      return;
    }
    const before = this.#link;
    this.#name = name;
    this.#link = this.#monitor?.state(name) ?? this.#link;
    this.#tellChange(before);
  }

  #tellChange(before: LinkState): void {
    const isOther = before.mtu !== this.#link.mtu || before.isUp !== this.#link.isUp;
    if (isOther || this.#watchError !== undefined) this.onChange();
  }
}

function nothing(): void {}

function offloadOf(options: LinuxTunOptions): number {
  return (options.offload ?? true) ? TUN_OFFLOAD_TCP | TUN_OFFLOAD_UDP : 0;
}

function openError(name: string, errno: number): WireGuardError {
  switch (errno) {
    case Errno.ENOENT:
    case Errno.ENODEV:
    case Errno.ENXIO:
      return new WireGuardError('ERR_TUN_MISSING', 'There is no /dev/net/tun.');
    case Errno.EPERM:
    case Errno.EACCES:
      return new WireGuardError('ERR_TUN_PERMISSION', `The interface ${name} may not be made by this user.`);
    case Errno.EBUSY:
      return new WireGuardError('ERR_INTERFACE_BUSY', `The interface ${name} is in use by another program.`);
    case Errno.EINVAL:
      return new WireGuardError('ERR_INTERFACE_BUSY', `${name} exists already and is no TUN interface.`);
    default:
      return new WireGuardError('ERR_TUN_REFUSED', `The interface ${name} could not be made: ${errnoName(errno)}.`);
  }
}

function unwatched(name: string, errno: string): string {
  return (
    `${name} cannot be watched in its network namespace (${errno}; CAP_NET_BROADCAST is needed): ` +
    'changes of its MTU, and "up" and "down", are not noticed'
  );
}
