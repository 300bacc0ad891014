import type { PacketBatch } from '../core/packets/packet-batch.js';

/** The source and the destination of the device's IP packets. */
export interface Tun {
  readonly name: string;
  readonly mtu: number;
  readonly isUp: boolean;

  /** Called when packets wait, again and again until `read` returned 0. */
  onReadable: () => void;
  /** The MTU changed, or the link went up or down. */
  onChange: () => void;
  /** The interface is gone. */
  onRemoved: () => void;

  /**
   * Fills `batch` from its start with the packets that wait, each with HEADROOM_BYTES in front and TAILROOM_BYTES
   * behind, and verdict `Pass`. A super-packet (TSO, USO) is already cut into packets with checksums complete.
   *
   * @returns Number of rows filled. 0 means: wait for `onReadable`.
   */
  read(batch: PacketBatch): number;

  /** Writes the rows with verdict `Pass` and a length above 0, in order. What the system refuses is counted. */
  write(batch: PacketBatch): void;

  /** With `false`, `onReadable` is not called until reading is switched on again: packets wait in the system's queue. */
  setReading(isReading: boolean): void;

  /** When `runDue` has to be called next; `Infinity` if nothing waits. Absent: the TUN keeps no time. */
  nextDeadline?(): number;
  /** Does what is due by the loop's clock. Packets that come of it are read at once. */
  runDue?(nowMs: number): void;

  close(): void;
}
