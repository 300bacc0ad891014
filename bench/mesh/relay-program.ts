/**
 * The relay of a hub alone, as a process whose work can be measured: two nodes, A and B, whose addresses are given.
 *
 * usage: relay-program.js PORT_A PORT_B   on the loopback; prints its port, and ends with standard input
 */

import { PacketBatch } from '../../src/core/packets/packet-batch.js';
import { RelaySocket } from '../../src/mesh/relay/relay-socket.js';
import { RelayTable } from '../../src/mesh/relay/relay-table.js';
import { createEngine } from '../../src/rootless/engine.js';
import { Endpoint } from '../../src/wire/endpoint.js';
import { HUB_KEY, LOOPBACK, NODE_KEYS } from './relay-keys.js';

const { parts, clock } = createEngine();
const table = new RelayTable({
  crypto: parts.crypto,
  neighbours: () => ['a', 'b'],
  sees: () => true,
  isOwnIndex: () => false,
});
table.setOwnKey(HUB_KEY);
for (const [index, id] of ['a', 'b'].entries()) {
  table.putNode(id, [NODE_KEYS[index]!]);
  table.setEndpoint(id, Endpoint.from(LOOPBACK, Number(process.argv[2 + index])), 0);
}
const socket = new RelaySocket(await parts.openSocket(0, 0), table, () => clock.nowMs());
const batch = new PacketBatch(256, 1024 * 1024);
socket.onReadable = () => void socket.receive(batch);
process.stdout.write(`port ${socket.port}\n`);
process.stdin.resume().once('end', () => process.exit(0));
