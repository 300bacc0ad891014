import type { PacketBatch } from '../core/packets/packet-batch.js';

/** The source and the destination of the device's IP packets. */
export interface Tun {
  readonly name: string;
  readonly mtu: number;
  readonly isUp: boolean;

  /** Called when packets wait, repeatedly until `read` returns 0. */
  onReadable: () => void;
  /** Called when the MTU changed, or when the link went up or down. */
  onChange: () => void;
  /** Called when the interface is gone. */
  onRemoved: () => void;

  /**
   * Fills `batch` from its start with the packets that wait, each with HEADROOM_BYTES in front and TAILROOM_BYTES
   * behind, and verdict `Pass`. Super-packets (TSO, USO) are already cut into packets with complete checksums.
   *
   * @returns Number of rows filled. 0 means: wait for `onReadable`.
   */
  read(batch: PacketBatch): number;

  /** Writes the rows with verdict `Pass` and a length above 0, in order. Packets that the system refuses are counted. */
  write(batch: PacketBatch): void;

  /** Switches reading on or off. While it is off, `onReadable` is not called and packets wait in the system's queue. */
  setReading(isReading: boolean): void;

  /**
   * Returns the time at which `runDue` must be called next; `Infinity` if nothing waits. Absent: the TUN has no timers.
   */
  nextDeadline?(): number;
  /** Runs the work that is due by the loop's clock. Resulting packets are read at once. */
  runDue?(nowMs: number): void;

  close(): void;
}
