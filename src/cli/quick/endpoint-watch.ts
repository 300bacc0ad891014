import { statSync } from 'node:fs';

import { type ConfigDocument, readConfigFile } from '../../control/config/index.js';
import type { PeerState } from '../../control/device-control.js';
import type { Lookup } from '../../control/endpoint-names.js';
import { formatShortKey } from '../../control/key-text.js';
import { isSystemError } from '../../control/system-error.js';
import type { DeviceChange } from '../../core/configuration.js';
import { WireGuardError } from '../../core/errors.js';
import { TunnelRecords } from '../../host/net/tunnel-record.js';
import { EndpointOwners } from './endpoint-owners.js';
import { type EndpointDevice, hasName, reresolve } from './reresolve.js';

/** Shorter than a user's patience, longer than the timeout of any resolver. */
const INTERVAL_MS = 30_000;

/** The daemon's parts of the watch. */
export interface EndpointWatchOptions {
  /** The file that `up` was called with. It is read again when it changes. */
  readonly configFile: string;
  readonly device: EndpointDevice;
  /** Returns the endpoints that `up` and `reload` have looked up for names, by public key. Default: none. */
  readonly lookedUp?: () => Readonly<Record<string, string>>;
  /** Default: the system's resolver. */
  readonly lookup?: Lookup;
  /** Receives a line about every peer that has moved, and about names that cannot be looked up. */
  log(text: string): void;
}

/** Returns the names that commands have looked up for an interface, as they recorded it. */
export function recordedLookups(interfaceName: string): () => Readonly<Record<string, string>> {
  const records = new TunnelRecords();
  return () => records.read(interfaceName)?.lookedUp ?? {};
}

/**
 * Follows peers whose endpoint is a name to their new address when they fall silent, as long as the daemon runs.
 *
 * Names are looked up only while the count of bytes sent to the peer grows: somebody is trying to reach it. An endpoint
 * that was set by hand is left alone.
 */
export class EndpointWatch {
  readonly #options: EndpointWatchOptions;
  readonly #stop = new AbortController();
  readonly #sentBytes = new Map<string, number>();
  readonly #owners = new EndpointOwners();
  #timer: NodeJS.Timeout | undefined;
  #document: ConfigDocument | undefined;
  #fileStamp = '';

  constructor(options: EndpointWatchOptions) {
    this.#options = options;
  }

  /** Starts the watch, which does not keep the process alive. */
  start(): void {
    this.#timer = setTimeout(() => void this.#turn(), INTERVAL_MS).unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#stop.abort('the end of the daemon');
  }

  /** Records a change that came over the control socket: the endpoints in it were set by hand, or by `up`. */
  note(change: DeviceChange): void {
    this.#owners.note(change);
  }

  async #turn(): Promise<void> {
    await this.look(Date.now());
    if (!this.#stop.signal.aborted) this.start();
  }

  /** Looks at all peers once. @param unixTimeMs The wall clock. */
  async look(unixTimeMs: number): Promise<void> {
    const { device, log, lookup, lookedUp } = this.#options;
    const names = { retries: 0, interruption: this.#stop.signal, warn: log, ...(lookup && { lookup }) };
    try {
      const document = await this.#readDocument();
      if (document === undefined) return;
      await this.#owners.settle(document, lookedUp?.() ?? {}, names);
      const isWanted = (publicKey: string, peer: PeerState) =>
        this.#hasSent(publicKey, peer) && !this.#owners.isChosen(publicKey, peer);
      for (const { publicKey, endpoint, from, to } of await reresolve(document, device, {
        names,
        unixTimeMs,
        isWanted,
      })) {
        log(`peer(${formatShortKey(publicKey)}) ${endpoint} moved from ${from} to ${to}`);
      }
    } catch (error) {
      if (!(error instanceof WireGuardError) && !isSystemError(error)) throw error;
      if (error.code !== 'ERR_INTERRUPTED') log(`names of endpoints are not looked up: ${error.message}`);
    }
  }

  #hasSent(publicKey: string, { txBytes }: PeerState): boolean {
    const before = this.#sentBytes.get(publicKey);
    this.#sentBytes.set(publicKey, txBytes);
    return before !== txBytes;
  }

  /** @returns The file, if it has a name in it. The file may be gone, or may block its reader, such as a FIFO. */
  async #readDocument(): Promise<ConfigDocument | undefined> {
    const stat = statSync(this.#options.configFile, { throwIfNoEntry: false });
    if (stat === undefined || !stat.isFile()) return undefined;

    const stamp = `${stat.ino} ${stat.mtimeMs} ${stat.size}`;
    if (stamp !== this.#fileStamp) {
      const document = (await readConfigFile(this.#options.configFile)).readAsWg();
      this.#document = document.peers.some(hasName) ? document : undefined;
      this.#fileStamp = stamp;
    }
    return this.#document;
  }
}
