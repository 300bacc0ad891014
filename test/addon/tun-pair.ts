import assert from 'node:assert/strict';
import { closeSync, readSync, writeSync } from 'node:fs';

import { type Addon, ERROR_COUNTERS, MORE_WAITS, type NativeTun, ROWS_MASK } from '../../src/addon/interface.js';
import { NativeBatches } from '../../src/addon/native-batches.js';
import type { PacketBatch } from '../../src/core/packets/packet-batch.js';
import { parseVirtioHeader, VIRTIO_HEADER_BYTES, type VirtioHeader, withVirtioHeader } from './super-packet.js';

/** A packet or super-packet that the kernel's side of a TUN has received. */
export interface KernelPacket {
  readonly header: VirtioHeader;
  readonly packet: Uint8Array;
}

/** A TUN of the addon's whose kernel side is the test. */
export class TunPair {
  readonly errors = new Uint32Array(ERROR_COUNTERS);
  readonly tun: NativeTun;
  readonly #addon: Addon;
  readonly #batches: NativeBatches;
  readonly #descriptor: number;
  readonly #buffer = new Uint8Array(VIRTIO_HEADER_BYTES + 65_536);

  constructor(addon: Addon, offload: number) {
    const pair = addon.tunPair(offload, this.errors);
    assert.ok(typeof pair !== 'number', 'socketpair');
    [this.tun, this.#descriptor] = pair;
    this.#addon = addon;
    this.#batches = new NativeBatches(addon);
  }

  /** Sends from the kernel's side. */
  send(header: VirtioHeader, packet: Uint8Array): void {
    writeSync(this.#descriptor, withVirtioHeader(header, packet));
  }

  /** Reads on the addon's side, batch after batch, until nothing waits. */
  readAll(batch: PacketBatch): Uint8Array[] {
    const packets: Uint8Array[] = [];
    for (;;) {
      const rows = this.read(batch);
      for (let row = 0; row < rows; row++)
        packets.push(batch.bytes.slice(batch.offset[row], batch.offset[row] + batch.length[row]));
      if (rows === 0) return packets;
    }
  }

  /** @returns The rows; `hasMore` says whether the addon keeps some back. */
  read(batch: PacketBatch): number {
    const result = this.#addon.tunRead(this.tun, this.#batches.of(batch));
    assert.ok(result >= 0, `tunRead: ${result}`);
    batch.count = result & ROWS_MASK;
    this.hasMore = (result & MORE_WAITS) !== 0;
    return batch.count;
  }

  hasMore = false;

  write(batch: PacketBatch): number {
    return this.#addon.tunWrite(this.tun, this.#batches.of(batch), batch.count);
  }

  /** Everything that the kernel's side has received. */
  received(): KernelPacket[] {
    const packets: KernelPacket[] = [];
    for (;;) {
      const length = this.#receive();
      if (length === 0) return packets;
      const bytes = this.#buffer.slice(0, length);
      packets.push({ header: parseVirtioHeader(bytes), packet: bytes.subarray(VIRTIO_HEADER_BYTES) });
    }
  }

  close(): void {
    this.#addon.close(this.tun);
    closeSync(this.#descriptor);
  }

  /** @returns 0 if nothing waits. */
  #receive(): number {
    try {
      return readSync(this.#descriptor, this.#buffer);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return 0;
      throw error;
    }
  }
}
