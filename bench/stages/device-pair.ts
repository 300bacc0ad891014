/** Two devices with a session between them, for stages that want packets sealed and opened in earnest. */
import { randomBytes } from 'node:crypto';

import { loadAddon } from '../../src/addon/load.js';
import type { PeerChange } from '../../src/core/configuration.js';
import { Device } from '../../src/core/device.js';
import type { PacketBatch } from '../../src/core/packets/packet-batch.js';
import { NativeAead } from '../../src/crypto/native-aead.js';
import { nodeEnvironment } from '../../src/host/node-environment.js';
import { Endpoint } from '../../src/wire/endpoint.js';
import { benchCrypto } from '../load/initiations.js';

const HANDSHAKE_ROUNDS = 8;

export interface End {
  readonly device: Device;
  readonly aead: NativeAead;
}

/** The network behind an end, and where the other end reaches it. */
export interface Place {
  readonly innerNetwork: readonly number[];
  readonly port: number;
}

/**
 * @param first A batch that `left` routes to `right`: the packet that asks for the handshake.
 * @param threads Of each AEAD stage.
 */
export function connectDevices(
  places: readonly [left: Place, right: Place],
  first: PacketBatch,
  threads = 1,
): readonly [left: End, right: End] {
  const [left, right] = [openEnd(threads), openEnd(threads)];
  introduce(left, right, places[1]);
  introduce(right, left, places[0]);
  left.device.route(first, nowMs());
  for (let round = 0; round < HANDSHAKE_ROUNDS; round++) {
    deliver(left, right);
    deliver(right, left);
  }
  return [left, right];
}

export function nowMs(): number {
  return Math.floor(performance.now());
}

function openEnd(threads: number): End {
  const aead = new NativeAead(loadAddon(), threads);
  const device = new Device({ crypto: benchCrypto(), environment: nodeEnvironment, aead });
  device.applyChange({ privateKey: randomBytes(32), replacePeers: false, peers: [] }, nowMs());
  device.setLinkUp(true, nowMs());
  return { device, aead };
}

function introduce(own: End, other: End, { innerNetwork, port }: Place): void {
  const peer: PeerChange = {
    publicKey: other.device.publicKey!,
    isRemoval: false,
    isUpdateOnly: false,
    endpoint: Endpoint.from(Uint8Array.of(127, 0, 0, 1), port),
    replaceAllowedIps: false,
    allowedIps: [{ address: Uint8Array.from(innerNetwork), prefixLength: 24, isRemoval: false }],
  };
  own.device.applyChange({ replacePeers: false, peers: [peer] }, nowMs());
}

function deliver(from: End, to: End): void {
  const now = nowMs();
  from.device.runDue(now);
  const { outbox } = from.device;
  from.aead.seal(outbox);
  to.device.classify(outbox, now);
  to.aead.open(outbox);
  to.device.admit(outbox, now);
  outbox.clear();
}
