import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';

import { loadAddon } from '../../src/addon/load.js';
import { PacketBatch } from '../../src/core/packets/packet-batch.js';
import { NativeSegmenter } from '../../src/host/native-segmenter.js';
import { Netstack } from '../../src/netstack/netstack.js';
import { JsSegmenter } from '../../src/netstack/segments/js-segmenter.js';
import type { Segmenter } from '../../src/netstack/segments/segmenter.js';
import { TcpListener } from '../../src/netstack/tcp/listener.js';
import type { TcpFlow } from '../../src/netstack/tcp/tcp-flow.js';
import { SeededRandom } from '../../src/sim/seeded-random.js';

const PORT = 80;
const WRITE_BYTES = 131_072;
/** The driver's batch has as many. */
const ROWS = 256;
const ARENA_BYTES = 1 << 20;
const WARM_UP_TURNS = 3_000;
const TURNS = 50;
const MEASUREMENTS = 15;
/** Blocks, runs and ACKs cost views and objects, which their segments share. A view for each segment would be 100 bytes more. */
const MAX_BYTES_PER_SEGMENT = 64;
/** TypeScript needs a view for each segment, since only a view copies fast. */
const MAX_BYTES_PER_SEGMENT_OF_JS = 200;

const gc = globalThis.gc;
const skip = gc === undefined ? 'needs --expose-gc' : false;

describe('a segment of TCP costs next to no heap, from the program to the program', () => {
  it('with the segmenter of the addon', { skip }, () => {
    const bytes = heapBytesPerSegment(() => new NativeSegmenter(loadAddon()));
    assert.ok(bytes < MAX_BYTES_PER_SEGMENT, `${bytes.toFixed(1)} bytes per segment`);
  });

  it('and little with the one in TypeScript', { skip }, () => {
    const bytes = heapBytesPerSegment(() => new JsSegmenter());
    assert.ok(bytes < MAX_BYTES_PER_SEGMENT_OF_JS, `${bytes.toFixed(1)} bytes per segment`);
  });
});

/** The least of several measurements. */
function heapBytesPerSegment(makeSegmenter: () => Segmenter): number {
  const transfer = new EndlessTransfer(makeSegmenter);
  for (let i = 0; i < WARM_UP_TURNS; i++) transfer.turn();
  const measured = Array.from({ length: MEASUREMENTS }, () => {
    gc!();
    const segmentsBefore = transfer.segments;
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < TURNS; i++) transfer.turn();
    return (process.memoryUsage().heapUsed - before) / (transfer.segments - segmentsBefore);
  });
  // A negative number shows that the collector ran nevertheless.
  return Math.min(...measured.filter((bytes) => bytes >= 0));
}

/** A connection between two stacks whose batches go from one to the other as they are. */
class EndlessTransfer {
  segments = 0;
  readonly #left: Netstack;
  readonly #right: Netstack;
  readonly #sender: TcpFlow;
  #receiver: TcpFlow | undefined;
  readonly #there = new PacketBatch(ROWS, ARENA_BYTES);
  readonly #back = new PacketBatch(ROWS, ARENA_BYTES);
  readonly #data = new Uint8Array(WRITE_BYTES).fill(7);
  #nowMs = 1_000;

  constructor(makeSegmenter: () => Segmenter) {
    this.#left = makeStack(1, makeSegmenter());
    this.#right = makeStack(2, makeSegmenter());
    this.#right.tcp.listen(undefined, PORT);
    const [local, remote] = [this.#left.addresses[0]!, this.#right.addresses[0]!];
    this.#sender = this.#left.tcp.connect(local, remote, PORT, this.#nowMs)!;
  }

  turn(): void {
    this.#nowMs++;
    this.#left.tcp.write(this.#sender, this.#data, 0, WRITE_BYTES);
    this.segments += this.#left.read(this.#there, this.#nowMs);
    this.#right.write(this.#there, this.#nowMs);
    this.#takeEvents();
    if (this.#receiver !== undefined)
      while (this.#receiver.receiveQueue.unread > 0)
        this.#right.tcp.read(this.#receiver, this.#data, 0, WRITE_BYTES, this.#nowMs);
    this.#right.read(this.#back, this.#nowMs);
    this.#left.write(this.#back, this.#nowMs);
  }

  #takeEvents(): void {
    for (const { tcp } of [this.#left, this.#right])
      for (let source = tcp.takeEvent(); source !== undefined; source = tcp.takeEvent()) {
        if (source instanceof TcpListener) this.#receiver ??= source.accept();
        else source.events = 0;
      }
  }
}

function makeStack(host: number, segmenter: Segmenter): Netstack {
  const random = new SeededRandom(host);
  return new Netstack({
    environment: {
      random: (out) => random.fill(out),
      keyedHash: (data) => createHash('sha256').update(data).digest().readInt32LE(0),
    },
    addresses: [Uint8Array.of(10, 0, 0, host)],
    mtu: 1_420,
    segmenter,
  });
}
