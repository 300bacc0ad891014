import type { TunnelHost } from '../../rootless/tunnel-host.js';
import type { ProxyTunnel } from '../proxy-config.js';

/** A pong may be this late. Source: windtf/wireproxy README.md, "Health endpoint". */
const LEEWAY_MS = 2_000;

type Pinger = Pick<TunnelHost, 'ping'>;
type Settings = Pick<ProxyTunnel, 'checkAlive' | 'checkAliveSeconds'>;

/** Pings the addresses of `CheckAlive` again and again, and remembers when each answered. */
export class AliveCheck {
  /** Milliseconds since 1970 of the last answer, by address; 0: never. */
  readonly lastPongs = new Map<string, number>();
  readonly #intervalMs: number;
  readonly #pinger: Pinger;
  readonly #ended = new AbortController();
  readonly #timer: NodeJS.Timeout;

  constructor(pinger: Pinger, { checkAlive, checkAliveSeconds }: Settings) {
    this.#pinger = pinger;
    this.#intervalMs = 1_000 * checkAliveSeconds;
    for (const address of checkAlive) this.lastPongs.set(address, 0);
    this.#timer = setInterval(() => this.#pingAll(), this.#intervalMs);
    this.#timer.unref();
    this.#pingAll();
  }

  /** Tests whether these settings are the ones that it was made with. */
  follows({ checkAlive, checkAliveSeconds }: Settings): boolean {
    const isSameInterval = this.#intervalMs === 1_000 * checkAliveSeconds;
    return isSameInterval && [...this.lastPongs.keys()].join() === [...new Set(checkAlive)].join();
  }

  /** Tests whether every address has answered lately. */
  isAlive(unixTimeMs: number): boolean {
    return [...this.lastPongs.values()].every((lastMs) => unixTimeMs - lastMs <= this.#intervalMs + LEEWAY_MS);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#ended.abort();
  }

  #pingAll(): void {
    for (const address of this.lastPongs.keys()) void this.#ping(address);
  }

  async #ping(address: string): Promise<void> {
    try {
      await this.#pinger.ping(address, { timeoutMs: this.#intervalMs, signal: this.#ended.signal });
      this.lastPongs.set(address, Date.now());
    } catch {
      // No answer: the time of the last one says so.
    }
  }
}
