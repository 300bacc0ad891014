import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { HandshakeQueue } from '../../../src/core/handshake/handshake-queue.js';
import { Endpoint } from '../../../src/wire/endpoint.js';

const LENGTH = 1_024;
const PROVEN_LENGTH = 64;
const INITIATION_BYTES = 148;

describe('HandshakeQueue', () => {
  it('gives messages back in order, each with its endpoint', () => {
    const queue = new HandshakeQueue();
    push(queue, 1);
    push(queue, 2);
    assert.deepEqual([shift(queue), shift(queue), shift(queue)], [1, 2, undefined]);
  });

  it('drops the newest when it is full', () => {
    const queue = new HandshakeQueue();
    for (let i = 0; i < LENGTH; i++) assert.equal(push(queue, i), true);
    assert.equal(push(queue, LENGTH), false);
    assert.equal(shift(queue), 0);
    assert.equal(push(queue, LENGTH + 1), true);
  });

  it('is under load from an eighth of its length on, and for a second after', () => {
    const queue = new HandshakeQueue();
    for (let i = 0; i < LENGTH / 8 - 1; i++) push(queue, i, 5_000);
    assert.equal(queue.isUnderLoad(5_000), false);
    push(queue, 0, 5_000);
    while (shift(queue) !== undefined);
    assert.equal(queue.isUnderLoad(5_999), true);
    assert.equal(queue.isUnderLoad(6_000), false);
  });

  it('keeps messages whose sender is proven apart: they find room when the others do not, and are no load', () => {
    const queue = new HandshakeQueue();
    for (let i = 0; i < LENGTH; i++) push(queue, i);
    assert.equal(push(queue, LENGTH), false);
    const endpoint = Endpoint.from(Uint8Array.of(10, 0, 0, 1), 1_000);
    const message = new Uint8Array(INITIATION_BYTES).fill(7);
    for (let i = 0; i < PROVEN_LENGTH; i++) assert.equal(queue.pushProven(message, endpoint.words, 0), true);
    assert.equal(queue.pushProven(message, endpoint.words, 0), false);
    assert.deepEqual([queue.count, queue.provenCount], [LENGTH + PROVEN_LENGTH, PROVEN_LENGTH]);
    const from = new Endpoint();
    assert.deepEqual(queue.shiftProven(from.words), message);
    assert.deepEqual(from.address, endpoint.address);

    const idle = new HandshakeQueue();
    for (let i = 0; i < PROVEN_LENGTH; i++) idle.pushProven(message, endpoint.words, 0);
    assert.equal(idle.isUnderLoad(0), false);
  });

  it('wraps round without mixing messages up', () => {
    const queue = new HandshakeQueue();
    let next = 0;
    let expected = 0;
    for (let round = 0; round < 50; round++) {
      for (let i = 0; i < 100; i++) push(queue, next++);
      for (let i = 0; i < 100; i++) assert.equal(shift(queue), expected++);
    }
  });
});

/** The number is written into message and endpoint. */
function push(queue: HandshakeQueue, number: number, nowMs = 0): boolean {
  const message = new Uint8Array(INITIATION_BYTES);
  new DataView(message.buffer).setUint32(0, number);
  const endpoint = Endpoint.from(Uint8Array.of(10, 0, number >> 8, number), 1_000);
  return queue.push(message, endpoint.words, 0, nowMs);
}

function shift(queue: HandshakeQueue): number | undefined {
  const endpoint = new Endpoint();
  const message = queue.shift(endpoint.words);
  if (message === undefined) return undefined;
  assert.equal(message.length, INITIATION_BYTES);
  const number = new DataView(message.buffer, message.byteOffset).getUint32(0);
  assert.deepEqual([...endpoint.address], [10, 0, (number >> 8) & 255, number & 255]);
  return number;
}
