import { parseKey } from '../../control/key-text.js';
import type { Tunnel } from '../../host/tunnel.js';
import type { MapEntry } from '../map/messages.js';
import type { PathView } from '../paths/peer-paths.js';

/** Sessions end by then (whitepaper §6.2, REJECT_AFTER_TIME). */
const SESSION_MS = 180_000;
/**
 * The session with the hub is renewed after this long at the earliest (whitepaper §6.2, REKEY_AFTER_TIME), and at the latest when the
 * hub does so before the end of it. An earlier handshake was begun anew; before a later one, the hub was away, or this host asleep.
 */
const RENEWED_AFTER_MS = 115_000;
const RENEWED_BY_MS = 195_000;

export interface RelayedSessionsOptions {
  readonly tunnel: Pick<Tunnel, 'peer' | 'requestHandshake'>;
  readonly entries: () => Iterable<MapEntry>;
  readonly views: () => ReadonlyMap<string, Pick<PathView, 'kind'>>;
  readonly nowUnixMs: () => number;
}

/**
 * The sessions with peers that the hub relays to.
 *
 * A hub that was started again does not know their indices, and only a handshake shows them to it. WireGuard by itself would find
 * out after 15 seconds without an answer (whitepaper §6.5).
 */
export class RelayedSessions {
  readonly #options: RelayedSessionsOptions;
  #hubUnixMs = -Infinity;

  constructor(options: RelayedSessionsOptions) {
    this.#options = options;
  }

  /** There was a handshake with the hub. @returns Whether it has renewed the session, as time goes by; else the hub may be another one. */
  hubShookHands(): boolean {
    const nowUnixMs = this.#options.nowUnixMs();
    const afterMs = nowUnixMs - this.#hubUnixMs;
    this.#hubUnixMs = nowUnixMs;
    if (afterMs < RENEWED_AFTER_MS) this.renew();
    return afterMs >= RENEWED_AFTER_MS && afterMs <= RENEWED_BY_MS;
  }

  /** Begins a handshake for each session that is older than the one with the hub. */
  renew(): void {
    const { tunnel, entries, views, nowUnixMs } = this.#options;
    const kinds = views();
    for (const { record } of entries()) {
      const kind = kinds.get(record.id)?.kind;
      if (kind === undefined || kind === 'direct') continue;
      const key = parseKey(record.publicKey, 'public key');
      const lastUnixMs = tunnel.peer(key)?.lastHandshakeUnixMs ?? 0;
      const isLive = nowUnixMs() - lastUnixMs < SESSION_MS;
      if (isLive && lastUnixMs < this.#hubUnixMs) tunnel.requestHandshake(key);
    }
  }
}
