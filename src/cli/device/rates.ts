import { formatKey } from '../../control/key-text.js';
import type { DropCounts } from '../../control/uapi-explain-text.js';
import type { WgDevice, WgPeer } from '../wg/wg-device.js';
import { handshakeAge } from './peer-status.js';

/** Silence after a sent packet for this long means that the peer or the path to the peer is gone (§6.5, §6.2). */
const UNANSWERED_SECONDS = 15;
/** A session is refused after this time without a new handshake (§6.2). */
const REJECT_AFTER_SECONDS = 180;
/** The time for which a loss is shown, since looks may follow each other quickly. */
const DROP_SHOWN_MS = 15_000;

/** Something that looks wrong about a peer. */
export type Hint = 'no-handshake' | 'unanswered' | 'expired' | 'dropping';

/** Packets that our daemon dropped, by public key in base64. */
export type PeerDrops = ReadonlyMap<string, DropCounts>;

/** Packets that were dropped between two looks, for the reason that most of them had. */
export interface Dropped {
  /** The name of a `Verdict`, such as `disallowed_source`. */
  readonly reason: string;
  readonly packets: number;
}

/** One peer between two looks at it. */
export interface PeerRates {
  readonly peer: WgPeer;
  /** Bytes per second; 0 at the first look. */
  readonly rxRate: number;
  readonly txRate: number;
  /** Seconds since the last handshake; `undefined` if there was none. */
  readonly handshakeAgeSeconds: number | undefined;
  readonly hint: Hint | undefined;
  /** Packets of this peer that were dropped since the daemon started; `undefined` if the daemon reports none. */
  readonly droppedPackets: number | undefined;
  /** Packets that were dropped recently. */
  readonly dropped: Dropped | undefined;
}

const NO_DROPS: DropCounts = new Map();

interface Look {
  readonly rxBytes: bigint;
  readonly txBytes: bigint;
  readonly timeMs: number;
  /** The time of a send since which nothing was received; `undefined` if the last packet was the peer's. */
  readonly unansweredSinceMs: number | undefined;
  readonly drops: DropCounts | undefined;
  readonly lastDrop: (Dropped & { readonly timeMs: number }) | undefined;
}

/** Compares each look at a device with the one before it. */
export class Rates {
  #looks = new Map<string, Look>();

  /**
   * @param timeMs The time of a monotonic clock.
   * @param unixTimeMs The time of the clock that stamps handshakes.
   * @param drops `undefined`: the daemon does not report drops.
   * @returns The peers in the device's order.
   */
  look(device: WgDevice, timeMs: number, unixTimeMs: number, drops?: PeerDrops): PeerRates[] {
    const looks = new Map<string, Look>();
    const rates = device.peers.map((peer) => {
      const key = formatKey(peer.publicKey);
      const before = this.#looks.get(key);
      const look = nextLook(peer, before, timeMs, drops === undefined ? undefined : (drops.get(key) ?? NO_DROPS));
      looks.set(key, look);
      return comparePeer(peer, before, look, unixTimeMs);
    });
    this.#looks = looks;
    return rates;
  }
}

function nextLook(
  { rxBytes, txBytes }: WgPeer,
  before: Look | undefined,
  timeMs: number,
  drops: DropCounts | undefined,
): Look {
  const dropped = before?.drops === undefined ? undefined : compareDrops(before.drops, drops ?? NO_DROPS);
  const lastDrop = dropped === undefined ? before?.lastDrop : { ...dropped, timeMs };
  const look = { rxBytes, txBytes, timeMs, unansweredSinceMs: undefined, drops, lastDrop };
  if (before === undefined || rxBytes !== before.rxBytes) return look;
  if (before.unansweredSinceMs !== undefined) return { ...look, unansweredSinceMs: before.unansweredSinceMs };
  return { ...look, unansweredSinceMs: txBytes > before.txBytes ? timeMs : undefined };
}

/** @returns The reason for which most packets were dropped between the two looks. */
function compareDrops(before: DropCounts, now: DropCounts): Dropped | undefined {
  const grown = [...now].map(([reason, packets]) => ({ reason, packets: packets - (before.get(reason) ?? 0) }));
  const [most] = grown.sort((a, b) => b.packets - a.packets);
  return most !== undefined && most.packets > 0 ? most : undefined;
}

function comparePeer(peer: WgPeer, before: Look | undefined, look: Look, unixTimeMs: number): PeerRates {
  const seconds = before === undefined ? 0 : (look.timeMs - before.timeMs) / 1_000;
  const handshakeAgeSeconds = handshakeAge(peer.lastHandshakeSeconds, unixTimeMs);
  return {
    peer,
    rxRate: rate(look.rxBytes, before?.rxBytes, seconds),
    txRate: rate(look.txBytes, before?.txBytes, seconds),
    handshakeAgeSeconds,
    hint: findHint(peer, look, handshakeAgeSeconds),
    droppedPackets: look.drops && [...look.drops.values()].reduce((sum, packets) => sum + packets, 0),
    dropped: recentDrop(look),
  };
}

/** Returns a rate; 0 if the counters started anew, as they do with the peer. */
function rate(now: bigint, before: bigint | undefined, seconds: number): number {
  if (before === undefined || seconds <= 0 || now < before) return 0;
  return Number(now - before) / seconds;
}

function findHint(peer: WgPeer, look: Look, handshakeAgeSeconds: number | undefined): Hint | undefined {
  if (handshakeAgeSeconds === undefined) return peer.txBytes > 0n ? 'no-handshake' : undefined;
  const unansweredMs = look.unansweredSinceMs === undefined ? 0 : look.timeMs - look.unansweredSinceMs;
  if (unansweredMs >= UNANSWERED_SECONDS * 1_000) return 'unanswered';
  if (handshakeAgeSeconds > REJECT_AFTER_SECONDS && look.unansweredSinceMs !== undefined) return 'expired';
  return recentDrop(look) === undefined ? undefined : 'dropping';
}

function recentDrop({ lastDrop, timeMs }: Look): Dropped | undefined {
  return lastDrop !== undefined && timeMs - lastDrop.timeMs < DROP_SHOWN_MS ? lastDrop : undefined;
}
