import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { PacketBatch } from '../../src/core/packets/packet-batch.js';
import { NetstackTun } from '../../src/host/netstack-tun.js';
import { addressWords } from '../../src/netstack/address.js';
import { Netstack } from '../../src/netstack/netstack.js';

const HERE = Uint8Array.of(10, 0, 0, 1);
const THERE = addressWords(Uint8Array.of(10, 0, 0, 2));
const ROWS = 4;

describe('NetstackTun', () => {
  it('announces what a read left behind, until nothing is left', async () => {
    const { stack, tun } = make();
    const batch = new PacketBatch(ROWS, ROWS * 2_048);
    let rows = 0;
    let announcements = 0;
    tun.onReadable = () => {
      announcements++;
      rows += tun.read(batch);
    };
    sendDatagrams(stack, 3 * ROWS - 1);

    tun.wake();
    await turns(4);

    assert.deepEqual([rows, announcements], [3 * ROWS - 1, 3]);
  });

  it('announces nothing while it is not read, and all of it when it is again', async () => {
    const { stack, tun } = make();
    let announcements = 0;
    tun.onReadable = () => announcements++;
    tun.setReading(false);
    sendDatagrams(stack, 1);
    tun.wake();
    await turns(2);
    assert.equal(announcements, 0);

    tun.setReading(true);
    await turns(2);

    assert.equal(announcements, 1);
  });
});

function make(): { stack: Netstack; tun: NetstackTun } {
  const environment = { random: (out: Uint8Array) => void out.fill(7), keyedHash: () => 7 };
  const stack = new Netstack({ environment, addresses: [HERE], mtu: 1_420 });
  const clock = { nowMs: () => 0, suspensions: 0, callAt: () => ({ cancel() {} }), callSoon: queueMicrotask };
  return { stack, tun: new NetstackTun('virtual', stack, clock) };
}

function sendDatagrams(stack: Netstack, count: number): void {
  for (let i = 0; i < count; i++) stack.udp.send(addressWords(HERE), 5_000, THERE, 9, Uint8Array.of(i));
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}
