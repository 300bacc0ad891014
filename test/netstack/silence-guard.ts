/** Looks for two stacks that answer each other's empty segments without an end. */

/** Linux's challenge ACKs would make 20 turns in this time, and probes of a closed window some ten. */
const PERIOD_MS = 10_000;
const MAX_TURNS = 30;
const SYN_OR_FIN = 3;

interface Exchange {
  isFromFirst: boolean;
  turns: number;
  sinceMs: number;
}

/**
 * Follows each connection of a pair of stacks: how often an empty segment, neither SYN nor FIN, was followed by one of the
 * other side, with nothing else in between. More than a few turns are a loop of RSTs or ACKs.
 */
export class SilenceGuard {
  readonly #exchanges = new Map<string, Exchange>();

  /** @throws If the two sides have said nothing to each other for too many turns. */
  note(packet: Uint8Array, isFromFirst: boolean, nowMs: number): void {
    const at = tcpAt(packet);
    if (at < 0) return;
    const view = new DataView(packet.buffer, packet.byteOffset + at, packet.length - at);
    const ports = [view.getUint16(0), view.getUint16(2)];
    if (!isFromFirst) ports.reverse();
    const key = ports.join(' and ');
    const isEmpty = (view.getUint8(12) >> 4) * 4 === view.byteLength && (view.getUint8(13) & SYN_OR_FIN) === 0;
    const exchange = this.#exchanges.get(key);
    if (!isEmpty) {
      this.#exchanges.delete(key);
    } else if (exchange === undefined || nowMs - exchange.sinceMs > PERIOD_MS) {
      this.#exchanges.set(key, { isFromFirst, turns: 0, sinceMs: nowMs });
    } else if (exchange.isFromFirst !== isFromFirst) {
      exchange.isFromFirst = isFromFirst;
      exchange.turns++;
      if (exchange.turns > MAX_TURNS) throw new Error(`ports ${key} answer each other's empty segments in a loop`);
    }
  }
}

/** @returns Where the TCP header is, or −1. */
function tcpAt(packet: Uint8Array): number {
  const isIpv4 = packet[0]! >> 4 === 4;
  const isTcp = packet[isIpv4 ? 9 : 6] === 6;
  const headerBytes = isIpv4 ? (packet[0]! & 15) * 4 : 40;
  return isTcp && packet.length >= headerBytes + 20 ? headerBytes : -1;
}
