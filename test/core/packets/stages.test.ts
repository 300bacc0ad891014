import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { PacketBatch } from '../../../src/core/packets/packet-batch.js';
import { VERDICT_COUNT, Verdict } from '../../../src/core/packets/verdict.js';
import { Simulation } from '../../../src/sim/simulation.js';
import type { TunnelNode } from '../../../src/sim/tunnel-node.js';
import { makeConnectedCouple, packetFromA } from '../../sim/couple.js';

const ROW_BYTES = 256;

/** A stage, and what it is given: messages from the network, or packets of the TUN. */
const STAGES: readonly [string, 'message' | 'packet', (node: TunnelNode, batch: PacketBatch) => void][] = [
  ['classify', 'message', ({ device, nowMs }, batch) => device.classify(batch, nowMs)],
  ['open', 'message', ({ aead }, batch) => aead.open(batch)],
  ['admit', 'message', ({ device, nowMs }, batch) => device.admit(batch, nowMs)],
  ['route', 'packet', ({ device, nowMs }, batch) => device.route(batch, nowMs)],
  ['seal', 'packet', ({ aead }, batch) => aead.seal(batch)],
];

describe('A stage', () => {
  for (const [name, kind, run] of STAGES) {
    it(`leaves rows as they are whose verdict an earlier one has set: ${name}`, () => {
      const { a, b } = makeConnectedCouple(new Simulation({ seed: 5 }));
      const message = sealedMessage(a);
      const verdict = fc.oneof(fc.constant(Verdict.Pass), fc.integer({ min: 0, max: VERDICT_COUNT - 1 }));
      fc.assert(
        fc.property(fc.array(verdict, { minLength: 1, maxLength: 16 }), (verdicts) => {
          const batch = kind === 'message' ? batchOf(verdicts, message) : batchOf(verdicts, packetFromA('routed'));
          const before = verdicts.map((_, row) => rowOf(batch, row));
          run(kind === 'message' ? b : a, batch);
          verdicts.forEach((verdict, row) => {
            const isItsOwn = verdict === Verdict.Pass || (name === 'admit' && verdict === Verdict.Handshake);
            if (!isItsOwn) assert.deepEqual(rowOf(batch, row), before[row], `row ${row}, verdict ${verdict}`);
          });
        }),
      );
    });
  }
});

describe('PacketBatch.drop', () => {
  it('keeps the verdict that was set first', () => {
    const batch = new PacketBatch(1, 1_024);
    batch.appendRow(1);
    batch.drop(0, Verdict.Filtered);
    batch.drop(0, Verdict.NoPeer);
    assert.equal(batch.verdict[0], Verdict.Filtered);
  });
});

/** A data message that the node would send. */
function sealedMessage(node: TunnelNode): Uint8Array {
  const batch = batchOf([Verdict.Pass], packetFromA('sealed'));
  node.device.route(batch, node.nowMs);
  node.aead.seal(batch);
  return batch.bytes.slice(batch.offset[0], batch.offset[0]! + batch.length[0]!);
}

function batchOf(verdicts: readonly number[], bytes: Uint8Array): PacketBatch {
  const batch = new PacketBatch(16, 16 * ROW_BYTES);
  for (const verdict of verdicts) {
    const row = batch.appendRow(bytes.length);
    batch.bytes.set(bytes, batch.offset[row]);
    batch.verdict[row] = verdict;
    batch.endpointWords[0] = 4 | (1 << 24);
    batch.endpointCount = 1;
  }
  return batch;
}

/** Everything that belongs to a row, apart from endpoint records, which rows share. */
function rowOf(batch: PacketBatch, row: number): unknown {
  const { offset, length, verdict, keySlot, trafficClass, endpoint, bytes } = batch;
  const at = offset[row]!;
  return {
    columns: [at, length[row], verdict[row], keySlot[row], trafficClass[row], endpoint[row]],
    bytes: bytes.slice(at - 16, at + length[row]! + 32),
  };
}
