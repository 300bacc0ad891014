import { randomBytes } from 'node:crypto';

import { loadAddon } from '../../src/addon/load.js';
import type { PeerChange } from '../../src/core/configuration.js';
import { Device } from '../../src/core/device.js';
import { PacketBatch } from '../../src/core/packet-batch.js';
import { Verdict } from '../../src/core/verdict.js';
import { NativeAead } from '../../src/crypto/native-aead.js';
import { nodeEnvironment } from '../../src/host/node-environment.js';
import { Endpoint } from '../../src/wire/endpoint.js';
import { benchCrypto } from '../load/initiations.js';
import type { StageClock } from './stage-clock.js';
import { fillWithTcp } from './tcp-packets.js';

const ROWS = 368;
const LEFT_ADDRESS = [10, 0, 0, 1];
const RIGHT_ADDRESS = [10, 0, 0, 2];
const HANDSHAKE_ROUNDS = 8;

interface End {
  readonly device: Device;
  readonly aead: NativeAead;
}

/** Sends full batches from one device to another, in memory, and times every stage on the way. */
export function timeCoreStages(clock: StageClock, packetBytes: number, rounds: number): void {
  const [left, right] = [openEnd(), openEnd()];
  introduce(left, right, RIGHT_ADDRESS);
  introduce(right, left, LEFT_ADDRESS);
  const batch = new PacketBatch(ROWS, ROWS * (packetBytes + 128));
  const flow = { source: LEFT_ADDRESS, destination: RIGHT_ADDRESS, packetBytes };
  fillWithTcp(batch, flow, 1, 0);
  left.device.route(batch, nowMs());
  shakeHands(left, right);

  fillWithTcp(batch, flow, ROWS, 0);
  for (let round = -rounds; round < rounds; round++) {
    if (round === 0) clock.restart();
    const now = nowMs();
    clock.time('route', ROWS, () => left.device.route(batch, now));
    clock.time('seal', ROWS, () => left.aead.seal(batch));
    clock.time('classify', ROWS, () => right.device.classify(batch, now));
    clock.time('open', ROWS, () => right.aead.open(batch));
    clock.time('admit', ROWS, () => right.device.admit(batch, now));
  }
  if (batch.verdict.some((verdict) => verdict !== Verdict.Pass)) throw new Error('a packet was dropped');
}

function openEnd(): End {
  const aead = new NativeAead(loadAddon());
  const device = new Device({ crypto: benchCrypto(), environment: nodeEnvironment, aead });
  device.applyChange({ privateKey: randomBytes(32), replacePeers: false, peers: [] }, nowMs());
  device.setUp(true, nowMs());
  return { device, aead };
}

function introduce(own: End, other: End, otherAddress: readonly number[]): void {
  const peer: PeerChange = {
    publicKey: other.device.publicKey!,
    isRemoval: false,
    isUpdateOnly: false,
    endpoint: Endpoint.from(Uint8Array.from([192, 0, 2, otherAddress[3]!]), 51_820),
    replaceAllowedIps: false,
    allowedIps: [{ address: Uint8Array.from(otherAddress), prefixLength: 32, isRemoval: false }],
  };
  own.device.applyChange({ replacePeers: false, peers: [peer] }, nowMs());
}

function shakeHands(left: End, right: End): void {
  for (let round = 0; round < HANDSHAKE_ROUNDS; round++) {
    deliver(left, right);
    deliver(right, left);
  }
}

function deliver(from: End, to: End): void {
  const now = nowMs();
  from.device.expire(now);
  const { outbox } = from.device;
  from.aead.seal(outbox);
  to.device.classify(outbox, now);
  to.aead.open(outbox);
  to.device.admit(outbox, now);
  outbox.clear();
}

function nowMs(): number {
  return Math.floor(performance.now());
}
