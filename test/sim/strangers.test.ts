import assert from 'node:assert/strict';
import { describe } from 'node:test';

import type { Simulation } from '../../src/sim/simulation.js';
import { SocketAddress } from '../../src/sim/socket-address.js';
import type { TunnelNode } from '../../src/sim/tunnel-node.js';
import { makeConnectedCouple, packetFromA, receivedTexts, textPacket } from './couple.js';
import { snapshotDifferences, takeSnapshot } from './object-snapshot.js';
import { publicKeyOf } from './plain-noise.js';
import { scenario } from './scenario.js';
import { NODE_INNER, SCRIPTED_INNER, ScriptedLink } from './scripted-link.js';

const CLIENTS = 10;
const CONNECT_LIMIT_MS = 2_000;
/** 10,000 a second, in bursts as they come from a fast line. */
const BURST_DATAGRAMS = 500;
const BURST_GAP_MS = 50;
const CLIENT_GAP_MS = 200;
const SERVER_OUTER = '192.0.2.1';
const SERVER_INNER = '10.0.0.1';

/** Messages of a stranger, which require no public key. */
const FLOODS: readonly [string, (world: Simulation, indices: readonly number[]) => Uint8Array][] = [
  ['cookie replies', (world) => message(world, 3, 64)],
  ['cookie replies to messages that they saw', (world, indices) => message(world, 3, 64, world.random.pick(indices))],
  ['responses', (world) => message(world, 2, 92)],
  ['responses to messages that they saw', (world, indices) => message(world, 2, 92, world.random.pick(indices))],
  ['initiations', (world) => message(world, 1, 148)],
  ['data', (world, indices) => message(world, 4, 128, world.random.pick(indices))],
  ['datagrams of any type and length', anything],
];

describe('Strangers that do not know our public key', () => {
  for (const [what, make] of FLOODS) {
    scenario(
      `and send 10,000 ${what} a second delay nobody's handshake (§5.3)`,
      (world) => {
        const clients = connectClients(world, addServer(world), make);
        assert.deepEqual(clients, new Array(CLIENTS).fill('connected'));
      },
      { hasCosts: true },
    );
  }

  scenario('cannot put a device under load: the next initiation is answered at once (§5.3)', (world) => {
    const link = new ScriptedLink(world);
    link.node.setPeer(link.script.staticPublic, { endpoint: link.address });
    link.node.sendPacket(textPacket(NODE_INNER, SCRIPTED_INNER, 'an index to know'));
    world.advance(0);
    const index = Buffer.from(link.lastReceived(1)).readInt32LE(4);
    for (const [, make] of FLOODS) receiveAtOnce(link.node, () => make(world, [index]));
    link.send(link.initiation());
    assert.equal(link.inbox.at(-1)?.bytes[0], 2);
  });

  scenario('a flood of cookie replies from strangers changes nothing', (world) => {
    const couple = makeConnectedCouple(world);
    const { a, b } = couple;
    const before = takeSnapshot(b.device, [/counters\b/, /\.#?refusals\b/]);
    receiveAtOnce(b, () => message(world, 3, 64));
    assert.deepEqual(snapshotDifferences(before, takeSnapshot(b.device, [/counters\b/, /\.#?refusals\b/])), []);
    assert.equal(b.device.counters.rejections.get('no-handshake'), 5_000);
    a.sendPacket(packetFromA('goes on'));
    world.advance(0);
    assert.equal(receivedTexts(b).at(-1), 'goes on');
  });
});

interface Server {
  readonly node: TunnelNode;
  readonly publicKey: Uint8Array;
}

function addServer(world: Simulation): Server {
  const privateKey = world.random.bytes(32);
  const node = world.addNode('server', world.addHost('server', [SERVER_OUTER]));
  node.setPrivateKey(privateKey);
  node.setLinkUp(true);
  return { node, publicKey: publicKeyOf(privateKey) };
}

/** Has client after client connect while a stranger floods the server. @returns What became of each. */
function connectClients(world: Simulation, server: Server, make: (typeof FLOODS)[number][1]): string[] {
  world.network.setConditions({ delayMs: 5 });
  const clients = Array.from({ length: CLIENTS }, (_, i) => addClient(world, server, i + 1));
  clients.forEach((client, i) => {
    world.after(i * CLIENT_GAP_MS, () => client.node.sendPacket(textPacket(client.inner, SERVER_INNER, client.inner)));
  });
  const endMs = world.nowMs + CLIENTS * CLIENT_GAP_MS + CONNECT_LIMIT_MS;
  const indices = watchIndices(world);
  const flood = (): void => {
    world.network.eve.clear();
    for (let i = 0; i < BURST_DATAGRAMS; i++) {
      const from = new SocketAddress(`198.51.100.${world.random.integer(256)}`, 1 + world.random.integer(65_535));
      world.network.transmit({ from, to: server.node.address(), bytes: make(world, indices), trafficClass: 0 });
    }
    if (world.nowMs < endMs) world.after(BURST_GAP_MS, flood);
  };
  flood();
  world.advance(endMs - world.nowMs);
  const arrived = receivedTexts(server.node);
  return clients.map(({ inner }) => (arrived.includes(inner) ? 'connected' : 'waits'));
}

function addClient(world: Simulation, server: Server, number: number): { node: TunnelNode; inner: string } {
  const inner = `10.0.1.${number}`;
  const privateKey = world.random.bytes(32);
  const node = world.addNode(`client ${number}`, world.addHost(`client ${number}`, [`203.0.113.${number}`]));
  node.setPrivateKey(privateKey);
  node.setPeer(server.publicKey, { endpoint: server.node.address(), allowedIps: [`${SERVER_INNER}/32`] });
  node.setLinkUp(true);
  server.node.setPeer(publicKeyOf(privateKey), { allowedIps: [`${inner}/32`] });
  return { node, inner };
}

/** The sender indices of messages that anybody on the path can read; the list grows. */
function watchIndices(world: Simulation): number[] {
  const indices = [0];
  world.network.interceptor = (datagram) => {
    if (datagram.bytes[0] === 1 || datagram.bytes[0] === 2) indices.push(Buffer.from(datagram.bytes).readInt32LE(4));
    return [datagram];
  };
  return indices;
}

function receiveAtOnce(node: TunnelNode, make: () => Uint8Array): void {
  const from = new SocketAddress('198.51.100.66', 9);
  const to = node.address();
  node.receive(Array.from({ length: 5_000 }, () => ({ from, to, bytes: make(), trafficClass: 0 })));
}

function message(world: Simulation, type: number, lengthBytes: number, index?: number): Uint8Array {
  const bytes = world.random.bytes(lengthBytes);
  bytes.set([type, 0, 0, 0]);
  if (index !== undefined) Buffer.from(bytes.buffer).writeInt32LE(index, 4);
  return bytes;
}

function anything(world: Simulation): Uint8Array {
  const length = world.random.pick([8, 32, 63, 64, 64, 92, 92, 148, 148, 300]);
  return message(world, world.random.integer(6), length);
}
