/** Looks for two stacks that answer each other's empty segments without an end. */

/** An ACK of data is one, and what it has the other side answer at once may be a few. */
const MAX_ANSWERS = 10;
const SYN_OR_FIN = 3;

/**
 * Counts how long a chain of empty segments is of which each is the answer to the one before.
 *
 * @param packet A packet that leaves.
 * @param cause The count of the packet whose arrival made it leave; 0 if a timer or the program did.
 * @returns The count of this packet: 0 unless it is a TCP segment that has no data and is neither SYN nor FIN.
 * @throws If the chain has become a loop.
 */
export function countSilentAnswers(packet: Uint8Array, cause: number): number {
  const at = tcpAt(packet);
  if (at < 0) return 0;
  const headerBytes = (packet[at + 12]! >> 4) * 4;
  const isEmpty = at + headerBytes === packet.length && (packet[at + 13]! & SYN_OR_FIN) === 0;
  if (!isEmpty) return 0;
  if (cause >= MAX_ANSWERS) throw new Error('the stacks answer each other’s empty segments in a loop');
  return cause + 1;
}

/** @returns Where the TCP header is, or −1. */
function tcpAt(packet: Uint8Array): number {
  const isIpv4 = packet[0]! >> 4 === 4;
  const isTcp = packet[isIpv4 ? 9 : 6] === 6;
  const headerBytes = isIpv4 ? (packet[0]! & 15) * 4 : 40;
  return isTcp && packet.length >= headerBytes + 20 ? headerBytes : -1;
}
