import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { Device } from '../../src/core/device.js';
import { NodeCrypto } from '../../src/crypto/node-crypto.js';
import { SeededRandom } from '../../src/sim/seeded-random.js';
import { Endpoint } from '../../src/wire/endpoint.js';

const IDLE_PEERS = 10_000;
const MAX_BYTES_PER_IDLE_PEER = 2 * 1_024;
/** Its key and endpoint cannot take less; so much has to come back. */
const MIN_BYTES_PER_IDLE_PEER = 600;

const gc = globalThis.gc;
const skip = gc === undefined ? 'needs --expose-gc' : false;

describe('A peer that is idle', () => {
  it('takes at most 2 KB: heap, buffers, its place among the allowed IPs, all included', { skip }, async () => {
    const device = makeDevice();
    const before = await memoryBytes();
    for (let i = 0; i < IDLE_PEERS; i++) addPeer(device, i);
    const perPeer = ((await memoryBytes()) - before) / IDLE_PEERS;
    assert.equal(device.peerCount, IDLE_PEERS);
    assert.ok(perPeer < MAX_BYTES_PER_IDLE_PEER, `${perPeer.toFixed(0)} bytes per peer`);
  });

  it('gives its memory back when it is removed', { skip }, async () => {
    const device = makeDevice();
    for (let i = 0; i < IDLE_PEERS; i++) addPeer(device, i);
    const before = await memoryBytes();
    device.applyChange({ replacePeers: true, peers: [] }, 0);
    const perPeer = (before - (await memoryBytes())) / IDLE_PEERS;
    assert.equal(device.peerCount, 0);
    assert.ok(perPeer > MIN_BYTES_PER_IDLE_PEER, `${perPeer.toFixed(0)} bytes per peer came back`);
  });
});

/** Existing garbage, and the garbage of its finalizers, is collected first. */
async function memoryBytes(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    gc!();
    await nextTurn();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function makeDevice(): Device {
  const random = new SeededRandom(1);
  const aead = { installKeys: () => 0, wipeKeys: () => undefined, seal: () => undefined, open: () => undefined };
  const environment = { random: (out: Uint8Array) => random.fill(out), unixTimeMs: () => 0 };
  const device = new Device({ crypto: new NodeCrypto(), environment, aead });
  device.applyChange({ privateKey: random.bytes(32), replacePeers: false, peers: [] }, 0);
  device.setLinkUp(true, 0);
  return device;
}

function addPeer(device: Device, i: number): void {
  const publicKey = new Uint8Array(32).fill(9);
  publicKey.set([i >> 16, i >> 8, i]);
  const endpoint = Endpoint.from(Uint8Array.of(192, 0, 2, i), 51_820);
  const address = Uint8Array.of(10, i >> 16, i >> 8, i);
  const allowedIps = [{ address, prefixLength: 32, isRemoval: false }];
  const peer = { publicKey, endpoint, isRemoval: false, isUpdateOnly: false, replaceAllowedIps: false, allowedIps };
  device.applyChange({ replacePeers: false, peers: [peer] }, 0);
}
