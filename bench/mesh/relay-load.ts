/**
 * Two nodes beside a relay: A sends as fast as it can, B counts.
 *
 * usage: relay-load.js BYTES   prints its two ports; reads the relay's port and seconds; prints the bytes that came
 */
import { createInterface } from 'node:readline';

import { loadAddon } from '../../src/addon/load.js';
import { PacketBatch } from '../../src/core/packets/packet-batch.js';
import { NodeCrypto } from '../../src/crypto/node-crypto.js';
import { NativeSocket } from '../../src/host/native-socket.js';
import { Endpoint } from '../../src/wire/endpoint.js';
import { mac1 } from '../../src/wire/handshake-macs.js';
import { writeInt32 } from '../../src/wire/little-endian.js';
import { LOOPBACK, NODE_KEYS } from './relay-keys.js';

const BATCH_ROWS = 48;
const INDEX_A = 7;
const INDEX_B = 8;

const bytes = Number(process.argv[2]);
const addon = loadAddon();
const [a, b] = [NativeSocket.open(addon, 0), NativeSocket.open(addon, 0)];
process.stdout.write(`ports ${a.port} ${b.port}\n`);
const [port, seconds] = (await new Promise<string>((resolve) => createInterface(process.stdin).once('line', resolve)))
  .split(' ')
  .map(Number);
const relay = Endpoint.from(LOOPBACK, port!);

send(a, initiation());
await pause(100);
send(b, response());
await pause(100);

let received = 0;
const incoming = new PacketBatch(256, 1024 * 1024);
b.onReadable = () => {
  while (b.receive(incoming) > 0) for (let row = 0; row < incoming.count; row++) received += incoming.length[row]!;
};
const outgoing = new PacketBatch(BATCH_ROWS, 128 * 1024);
for (let row = 0; row < BATCH_ROWS; row++) {
  outgoing.appendRow(bytes);
  writeInt32(outgoing.bytes, outgoing.offset[row]!, 4);
  writeInt32(outgoing.bytes, outgoing.offset[row]! + 4, INDEX_B);
  outgoing.setEndpoint(row, relay.words, 0);
}
const endMs = performance.now() + seconds! * 1_000;
while (performance.now() < endMs) {
  a.send(outgoing, 0);
  await new Promise((resolve) => setImmediate(resolve));
}
await pause(200);
process.stdout.write(`received ${received}\n`);
process.exit(0);

function send(socket: NativeSocket, message: Uint8Array): void {
  const batch = new PacketBatch(1, 4_096);
  batch.appendRow(message.length);
  batch.bytes.set(message, batch.offset[0]!);
  batch.setEndpoint(0, relay.words, 0);
  socket.send(batch, 0);
}

function initiation(): Uint8Array {
  const crypto = new NodeCrypto();
  const message = new Uint8Array(148);
  writeInt32(message, 0, 1);
  writeInt32(message, 4, INDEX_A);
  const key = new Uint8Array(32);
  crypto.hash(key, Buffer.from('mac1----'), NODE_KEYS[1]);
  crypto.mac(mac1(message), key, message.subarray(0, 116));
  return message;
}

function response(): Uint8Array {
  const message = new Uint8Array(92);
  writeInt32(message, 0, 2);
  writeInt32(message, 4, INDEX_B);
  writeInt32(message, 8, INDEX_A);
  return message;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
