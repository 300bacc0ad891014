import type { PeerSection } from '../../control/config/index.js';
import { isHostName, type Lookup, resolveEndpoint } from '../../control/endpoint-names.js';
import { formatEndpoint } from '../../control/endpoint-text.js';
import { SystemZoneNames } from '../../control/zone-names.js';
import { WireGuardError } from '../../core/errors.js';
import type { RunningTunnel } from './tunnel-set.js';

/** Shorter than a user's patience, longer than the timeout of any resolver. */
const INTERVAL_MS = 30_000;

/** Follows peers whose endpoint is a name to their new address when they do not answer. */
export class EndpointFollower {
  readonly #print: (line: string) => void;
  readonly #lookup: Lookup | undefined;
  readonly #ended = new AbortController();
  readonly #timer: NodeJS.Timeout;
  /** The last address of a peer, by tunnel and public key. */
  readonly #addresses = new Map<string, string>();
  #tunnels: readonly RunningTunnel[] = [];

  /** @param lookup Default: the system's resolver. */
  constructor(print: (line: string) => void, lookup?: Lookup) {
    this.#print = print;
    this.#lookup = lookup;
    this.#timer = setInterval(() => void this.look(), INTERVAL_MS);
    this.#timer.unref();
  }

  /** Follows the peers of these tunnels from now on. */
  watch(tunnels: readonly RunningTunnel[]): void {
    this.#tunnels = tunnels;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#ended.abort();
  }

  /** Looks the names of silent peers up again. */
  async look(): Promise<void> {
    for (const tunnel of this.#tunnels)
      for (const { publicKey, reasonCode } of tunnel.host.status().peers) {
        const peer = tunnel.config.document.peer(publicKey);
        if (reasonCode === 'no-answer' && peer !== undefined) await this.#follow(tunnel, peer);
      }
  }

  async #follow({ config, host }: RunningTunnel, { endpoint, publicKeyText }: PeerSection): Promise<void> {
    if (endpoint === undefined || !isHostName(endpoint)) return;
    const lookup = this.#lookup === undefined ? {} : { lookup: this.#lookup };
    const names = { retries: 0, interruption: this.#ended.signal, warn: () => {}, ...lookup };
    try {
      const found = await resolveEndpoint(endpoint, names);
      await host.setEndpoint(publicKeyText, found);
      const key = `${config.name} ${publicKeyText}`;
      const address = formatEndpoint(found, new SystemZoneNames());
      if (this.#addresses.get(key) !== address) this.#print(`${config.name}: ${endpoint.host} is at ${address}`);
      this.#addresses.set(key, address);
    } catch (error) {
      if (!(error instanceof WireGuardError) && !isClosed(error)) throw error; // the next look may succeed
    }
  }
}

/** The tunnel was closed meanwhile. */
function isClosed(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_CLOSED';
}
