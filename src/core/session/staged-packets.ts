import { MAX_STAGED_PACKETS } from '../constants.js';

interface StagedPacket {
  readonly bytes: Uint8Array;
  readonly trafficClass: number;
}

/**
 * Packets that wait for a session with their peer, oldest first.
 *
 * Holds copies, since the batch that a packet came in is filled again at once.
 */
export class StagedPackets {
  /** Made with the first packet: most peers are idle. */
  #packets: StagedPacket[] | undefined;

  get count(): number {
    return this.#packets?.length ?? 0;
  }

  /** Bytes of the oldest packet; 0 if there is none. */
  peekLength(): number {
    return this.#packets?.[0]?.bytes.length ?? 0;
  }

  /** The outer traffic class that the oldest packet is to be sent with; 0 if there is none. */
  get headTrafficClass(): number {
    return this.#packets?.[0]?.trafficClass ?? 0;
  }

  /** @returns `false` if the oldest packet was dropped to make room. */
  push(bytes: Uint8Array, offset: number, length: number, trafficClass: number): boolean {
    this.#packets ??= [];
    const hasRoom = this.#packets.length < MAX_STAGED_PACKETS;
    if (!hasRoom) this.#packets.shift();
    this.#packets.push({ bytes: bytes.slice(offset, offset + length), trafficClass });
    return hasRoom;
  }

  /** Moves the oldest packet to `at` of `bytes`. @returns Its length; 0 if there was none. */
  shiftInto(bytes: Uint8Array, at: number): number {
    const packet = this.#packets?.shift();
    if (packet === undefined) return 0;
    bytes.set(packet.bytes, at);
    return packet.bytes.length;
  }

  /** @returns How many packets were dropped. */
  clear(): number {
    return this.#packets?.splice(0).length ?? 0;
  }
}
