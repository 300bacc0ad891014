import { parseKey } from '../../control/key-text.js';
import type { Tunnel } from '../../host/tunnel.js';
import type { MapEntry } from '../map/messages.js';
import type { PathView } from '../paths/peer-paths.js';

/** Sessions end by then (whitepaper §6.2, REJECT_AFTER_TIME). */
const SESSION_MS = 180_000;
/** Handshakes with the hub follow each other after 120 seconds (whitepaper §6.2, REKEY_AFTER_TIME): one before was begun anew. */
const EARLY_MS = 115_000;

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

  /** There was a handshake with the hub. */
  hubShookHands(): void {
    const nowUnixMs = this.#options.nowUnixMs();
    const isEarly = nowUnixMs - this.#hubUnixMs < EARLY_MS;
    this.#hubUnixMs = nowUnixMs;
    if (isEarly) this.renew();
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
