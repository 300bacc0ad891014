import { formatEndpoint } from '../../control/endpoint-text.js';
import { formatShortKey } from '../../control/key-text.js';
import { SystemZoneNames } from '../../control/zone-names.js';
import { VERDICT_NAMES } from '../../core/packets/verdict.js';
import type { PeerView } from '../../core/session/peer-view.js';
import type { Tunnel } from '../../host/tunnel.js';
import type { Log } from './log.js';

const INTERVAL_MS = 1_000;

interface Seen {
  readonly lastHandshakeUnixMs: number;
  readonly endpoint: string;
}

/**
 * Tells in the log, once a second, what became of peers and packets: handshakes, roaming, and what was dropped.
 *
 * Made for the level `debug` only: otherwise an idle tunnel does not wake up.
 */
export class PeerWatch {
  readonly #tunnel: Tunnel;
  readonly #log: Log;
  readonly #timer: NodeJS.Timeout;
  #seen: ReadonlyMap<PeerView, Seen> = new Map();
  #verdicts: Float64Array;

  constructor(tunnel: Tunnel, log: Log) {
    this.#tunnel = tunnel;
    this.#log = log;
    this.#verdicts = Float64Array.from(tunnel.counters.verdicts);
    this.#timer = setInterval(() => this.#look(), INTERVAL_MS);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const zones = new SystemZoneNames();
    const seen = new Map<PeerView, Seen>();
    for (const peer of this.#tunnel.state.peers) {
      const now: Seen = {
        lastHandshakeUnixMs: peer.lastHandshakeUnixMs,
        endpoint: peer.endpoint === undefined ? 'none' : formatEndpoint(peer.endpoint, zones),
      };
      this.#tellChanges(peer, this.#seen.get(peer), now);
      seen.set(peer, now);
    }
    this.#seen = seen;
    this.#tellVerdicts();
  }

  #tellChanges(peer: PeerView, before: Seen | undefined, now: Seen): void {
    const name = `peer ${formatShortKey(peer.publicKey)}`;
    if (now.lastHandshakeUnixMs > (before?.lastHandshakeUnixMs ?? 0)) this.#log.debug(`${name}: handshake completed`);
    if (before !== undefined && before.endpoint !== now.endpoint)
      this.#log.debug(`${name}: endpoint ${before.endpoint} is now ${now.endpoint}`);
  }

  #tellVerdicts(): void {
    const verdicts = Float64Array.from(this.#tunnel.counters.verdicts);
    for (const [verdict, name] of VERDICT_NAMES.entries()) {
      const count = verdicts[verdict]! - this.#verdicts[verdict]!;
      if (count > 0 && name !== 'Pass') this.#log.debug(`${count} packets or messages: ${name}`);
    }
    this.#verdicts = verdicts;
  }
}
