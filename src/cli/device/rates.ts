import type { WgDevice, WgPeer } from '../wg/wg-device.js';

/** Nothing came back for this long after something was sent: the peer, or the way to it, is gone (§6.5, §6.2). */
const UNANSWERED_SECONDS = 15;
/** After this time without a new handshake a session is refused (§6.2). */
const REJECT_AFTER_SECONDS = 180;

/** What is doubtful about a peer. */
export type Hint = 'no-handshake' | 'unanswered' | 'expired';

/** One peer between two looks at it. */
export interface PeerRates {
  readonly peer: WgPeer;
  /** Bytes in a second; 0 at the first look. */
  readonly rxRate: number;
  readonly txRate: number;
  /** Seconds since the last handshake; `undefined` if there was none. */
  readonly handshakeAgeSeconds: number | undefined;
  readonly hint: Hint | undefined;
}

interface Look {
  readonly rxBytes: bigint;
  readonly txBytes: bigint;
  readonly timeMs: number;
  /** When more was sent, and nothing received since; `undefined` when the last word was the peer's. */
  readonly unansweredSinceMs: number | undefined;
}

/** Compares each look at a device with the one before it. */
export class Rates {
  #looks = new Map<string, Look>();

  /**
   * @param timeMs Of a clock that does not jump.
   * @param unixTimeMs Of the clock that handshakes are stamped with.
   * @returns The peers in the device's order.
   */
  look(device: WgDevice, timeMs: number, unixTimeMs: number): PeerRates[] {
    const looks = new Map<string, Look>();
    const rates = device.peers.map((peer) => {
      const key = Buffer.from(peer.publicKey).toString('latin1');
      const before = this.#looks.get(key);
      const look = nextLook(peer, before, timeMs);
      looks.set(key, look);
      return comparePeer(peer, before, look, unixTimeMs);
    });
    this.#looks = looks;
    return rates;
  }
}

function nextLook({ rxBytes, txBytes }: WgPeer, before: Look | undefined, timeMs: number): Look {
  const look = { rxBytes, txBytes, timeMs, unansweredSinceMs: undefined };
  if (before === undefined || rxBytes !== before.rxBytes) return look;
  if (before.unansweredSinceMs !== undefined) return { ...look, unansweredSinceMs: before.unansweredSinceMs };
  return { ...look, unansweredSinceMs: txBytes > before.txBytes ? timeMs : undefined };
}

function comparePeer(peer: WgPeer, before: Look | undefined, look: Look, unixTimeMs: number): PeerRates {
  const seconds = before === undefined ? 0 : (look.timeMs - before.timeMs) / 1_000;
  const handshakeAgeSeconds =
    peer.lastHandshakeSeconds === 0n
      ? undefined
      : Math.max(0, Math.floor(unixTimeMs / 1_000) - Number(peer.lastHandshakeSeconds));
  return {
    peer,
    rxRate: rate(look.rxBytes, before?.rxBytes, seconds),
    txRate: rate(look.txBytes, before?.txBytes, seconds),
    handshakeAgeSeconds,
    hint: findHint(peer, look, handshakeAgeSeconds),
  };
}

/** Counters start anew when the peer does: then there is no rate. */
function rate(now: bigint, before: bigint | undefined, seconds: number): number {
  if (before === undefined || seconds <= 0 || now < before) return 0;
  return Number(now - before) / seconds;
}

function findHint(peer: WgPeer, look: Look, handshakeAgeSeconds: number | undefined): Hint | undefined {
  if (handshakeAgeSeconds === undefined) return peer.txBytes > 0n ? 'no-handshake' : undefined;
  const unansweredMs = look.unansweredSinceMs === undefined ? 0 : look.timeMs - look.unansweredSinceMs;
  if (unansweredMs >= UNANSWERED_SECONDS * 1_000) return 'unanswered';
  return handshakeAgeSeconds > REJECT_AFTER_SECONDS && look.unansweredSinceMs !== undefined ? 'expired' : undefined;
}
