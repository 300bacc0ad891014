import { printable } from '../../control/config/secret-text.js';
import type { ReasonCode } from '../../core/session-reason.js';
import type { RunningTunnel } from '../../proxy/tunnels/tunnel-set.js';
import type { PeerStatus } from '../../rootless/tunnel-host.js';

const LOOK_EVERY_MS = 1_000;
const KEY_CHARACTERS = 8;
/** States that a peer passes through on its way to another one. */
const PASSING: ReadonlySet<ReasonCode> = new Set(['handshake-due', 'handshake-started', 'unconfirmed']);

/** Prints a line when a peer gets a session, loses it, or gives another reason for having none. */
export class TunnelWatch {
  readonly #print: (line: string) => void;
  readonly #timer: NodeJS.Timeout;
  readonly #shown = new Map<string, ReasonCode>();
  #tunnels: readonly RunningTunnel[] = [];

  constructor(print: (line: string) => void) {
    this.#print = print;
    this.#timer = setInterval(() => this.look(), LOOK_EVERY_MS);
    this.#timer.unref();
  }

  /** Watches these tunnels from now on. */
  watch(tunnels: readonly RunningTunnel[]): void {
    this.#tunnels = tunnels;
  }

  /** Prints what has changed since the last look. */
  look(): void {
    for (const tunnel of this.#tunnels) {
      const { peers } = tunnel.host.status();
      for (const peer of peers) this.#lookAt(tunnel, peer, peers.length > 1);
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #lookAt({ config }: RunningTunnel, { publicKey, reasonCode, reason }: PeerStatus, isNamed: boolean): void {
    const key = `${config.name} ${publicKey}`;
    if (PASSING.has(reasonCode) || this.#shown.get(key) === reasonCode) return;
    this.#shown.set(key, reasonCode);
    const name = config.document.peer(publicKey)?.name ?? `${publicKey.slice(0, KEY_CHARACTERS)}…`;
    this.#print(`${config.name}: ${isNamed ? `${printable(name)}: ` : ''}${reason}`);
  }
}
