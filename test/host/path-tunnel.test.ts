import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { PacketBatch } from '../../src/core/packets/packet-batch.js';
import { Verdict } from '../../src/core/packets/verdict.js';
import { JsAead } from '../../src/crypto/js-aead.js';
import { generateKeyPair } from '../../src/crypto/key-pair.js';
import { NodeCrypto } from '../../src/crypto/node-crypto.js';
import { MemoryNetwork } from '../../src/host/memory/socket.js';
import { MemoryTun } from '../../src/host/memory/tun.js';
import { type Path, PathSocket } from '../../src/host/path-socket.js';
import { Tunnel } from '../../src/host/tunnel.js';
import { Endpoint, FAMILY_PATH } from '../../src/wire/endpoint.js';
import { LOOPBACK } from '../conformance/datagram-socket.js';
import { waitFor } from '../lab/wait.js';
import { ipPacket } from '../sim/ip-packet.js';

const RELAY = new Uint8Array(16).fill(0x5e);

describe('A tunnel over a path that is no UDP address', () => {
  it('makes its handshake there, and carries packets both ways', async () => {
    const crypto = new NodeCrypto();
    const [keys, tuns] = [[generateKeyPair(), generateKeyPair()] as const, [new MemoryTun(), new MemoryTun()] as const];
    const [near, far] = pathPair();
    const tunnels = [await open(crypto, tuns[0], near), await open(crypto, tuns[1], far)] as const;
    try {
      await introduce(tunnels[0], keys[0].privateKey, keys[1].publicKey, 2, Endpoint.forPath(RELAY));
      await introduce(tunnels[1], keys[1].privateKey, keys[0].publicKey, 1);
      const arrived: Uint8Array[][] = [[], []];
      tuns.forEach((tun, i) => {
        tun.onPacket = (packet) => arrived[i]!.push(packet);
      });
      const packets = [packetBetween(1, 2), packetBetween(2, 1)] as const;
      tuns[0].inject(packets[0]);
      await waitFor('the packet', () => arrived[1]!.at(-1));
      tuns[1].inject(packets[1]);
      await waitFor('the answer', () => arrived[0]!.at(-1));
      assert.deepEqual(arrived, [[packets[1]], [packets[0]]]);
      const [peer] = [...tunnels[1].state.peers];
      assert.deepEqual([peer?.endpoint?.family, peer?.endpoint?.address], [FAMILY_PATH, RELAY]);
    } finally {
      for (const tunnel of tunnels) tunnel.close();
    }
  });
});

/** Two ends of a relay that loses nothing. */
function pathPair(): [MemoryPath, MemoryPath] {
  const [a, b] = [new MemoryPath(), new MemoryPath()];
  a.other = b;
  b.other = a;
  return [a, b];
}

class MemoryPath implements Path {
  onReadable: () => void = () => {};
  onWritable: () => void = () => {};
  other: MemoryPath | undefined;
  readonly #waiting: Uint8Array[] = [];

  receive(batch: PacketBatch): number {
    batch.clear();
    for (const bytes of this.#waiting.splice(0, batch.capacity)) {
      const row = batch.appendRow(bytes.length);
      batch.bytes.set(bytes, batch.offset[row]!);
    }
    return batch.count;
  }

  send(batch: PacketBatch, from: number): number {
    for (let row = from; row < batch.count; row++) {
      const at = batch.offset[row]!;
      if (batch.verdict[row] === Verdict.Pass) this.other?.deliver(batch.bytes.slice(at, at + batch.length[row]!));
    }
    return batch.count;
  }

  deliver(bytes: Uint8Array): void {
    this.#waiting.push(bytes);
    queueMicrotask(() => this.onReadable());
  }

  close(): void {
    this.other = undefined;
  }
}

async function open(crypto: NodeCrypto, tun: MemoryTun, path: Path): Promise<Tunnel> {
  const openSocket = (port: number): PathSocket =>
    new PathSocket({ udp: new MemoryNetwork().open(LOOPBACK, port), paths: [[RELAY, path]] });
  return await Tunnel.create({ crypto, aead: new JsAead(), tun, openSocket });
}

async function introduce(
  tunnel: Tunnel,
  privateKey: Uint8Array,
  publicKey: Uint8Array,
  host: number,
  endpoint?: Endpoint,
): Promise<void> {
  const peer = {
    publicKey,
    isRemoval: false,
    isUpdateOnly: false,
    replaceAllowedIps: false,
    allowedIps: [{ address: Uint8Array.of(10, 0, 0, host), prefixLength: 32, isRemoval: false }],
    ...(endpoint === undefined ? {} : { endpoint }),
  };
  await tunnel.apply({ privateKey, replacePeers: false, peers: [peer] });
}

function packetBetween(from: number, to: number): Uint8Array {
  return ipPacket({ source: `10.0.0.${from}`, destination: `10.0.0.${to}`, payload: Uint8Array.of(from, to) });
}
