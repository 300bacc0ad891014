/**
 * Several peers in one process that all send to one interface, each from a socket of its own, as fast as they can. Together
 * they have sixteen TCP flows, however many peers there are.
 *
 *     node senders.js INTERFACE ADDRESS PORT PEERS SECONDS
 *
 * Adds its peers to the interface, by `wg`, and removes them at the end. Prints "sending" when all have a session,
 * and at the end a line of JSON: how many packets were sent. Peer number i is allowed 10.77.i.2; packets go to 10.78.0.1.
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { isIPv4 } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

import { loadAddon } from '../../src/addon/load.js';
import { Device } from '../../src/core/device.js';
import { PacketBatch } from '../../src/core/packets/packet-batch.js';
import { Verdict } from '../../src/core/packets/verdict.js';
import { NativeAead } from '../../src/crypto/native-aead.js';
import { NativeSocket } from '../../src/host/native-socket.js';
import { nodeEnvironment } from '../../src/host/node-environment.js';
import { Endpoint } from '../../src/wire/endpoint.js';
import { fillWithTcp } from '../stages/tcp-packets.js';
import { benchCrypto } from './initiations.js';

const FLOWS = 16;
/** One super-packet of the usual MTU. */
const ROWS = 45;
const PACKET_BYTES = 1_420;
const ARENA_BYTES = 128 * 1024;
const TURNS_AT_ONCE = 64;
const DESTINATION = [10, 78, 0, 1];
const FIRST_PORT = 40_000;
const GIVE_UP_MS = 10_000;

interface Sender {
  readonly device: Device;
  readonly aead: NativeAead;
  readonly socket: NativeSocket;
  /** By flow, packets in a row as they are before they are sealed. */
  readonly flows: readonly PacketBatch[];
  readonly batch: PacketBatch;
}

const [interfaceName = '', address = '', port = '', peers = '', seconds = ''] = process.argv.slice(2);
if (!isIPv4(address)) throw new TypeError(`${address} is no IPv4 address`);

const responder = Buffer.from(wg('show', interfaceName, 'public-key').trim(), 'base64');
const endpoint = Endpoint.from(Uint8Array.from(address.split('.'), Number), Number(port));
const senders = Array.from({ length: Number(peers) }, (_, index) => makeSender(index + 1));
try {
  for (const sender of senders) await shakeHands(sender);
  process.stdout.write('sending\n');
  process.stdout.write(`${JSON.stringify({ sent: await sendAll() })}\n`);
} finally {
  for (const { device, socket } of senders) {
    wg('set', interfaceName, 'peer', keyText(device), 'remove');
    socket.close();
  }
}

function makeSender(number: number): Sender {
  const aead = new NativeAead(loadAddon());
  const device = new Device({ crypto: benchCrypto(), environment: nodeEnvironment, aead });
  const peer = {
    publicKey: responder,
    isRemoval: false,
    isUpdateOnly: false,
    endpoint,
    replaceAllowedIps: false,
    allowedIps: [{ address: Uint8Array.from(DESTINATION), prefixLength: 32, isRemoval: false }],
  };
  device.applyChange({ privateKey: randomBytes(32), replacePeers: false, peers: [peer] }, nowMs());
  device.setLinkUp(true, nowMs());
  wg('set', interfaceName, 'peer', keyText(device), 'allowed-ips', `10.77.${number}.2/32`);
  const flows = Array.from({ length: Math.ceil(FLOWS / Number(peers)) }, (_, index) => makeFlow(number, index));
  return { device, aead, socket: NativeSocket.open(loadAddon(), 0), flows, batch: new PacketBatch(ROWS, ARENA_BYTES) };
}

function makeFlow(number: number, index: number): PacketBatch {
  const batch = new PacketBatch(ROWS, ARENA_BYTES);
  const source = [10, 77, number, 2];
  const flow = { source, destination: DESTINATION, packetBytes: PACKET_BYTES, sourcePort: FIRST_PORT + index };
  fillWithTcp(batch, flow, ROWS, 0);
  return batch;
}

/** Sends packets until one passes; the first packet requests a handshake. */
async function shakeHands(sender: Sender): Promise<void> {
  const { device, aead, socket, batch } = sender;
  const endMs = nowMs() + GIVE_UP_MS;
  while (nowMs() < endMs) {
    fill(sender, 0, 1);
    device.route(batch, nowMs());
    if (batch.verdict[0] === Verdict.Pass) return;
    device.runDue(nowMs());
    aead.seal(device.outbox);
    socket.send(device.outbox, 0);
    device.outbox.clear();
    await pause(2);
    if (socket.receive(batch) === 0) continue;
    device.classify(batch, nowMs());
    aead.open(batch);
    device.admit(batch, nowMs());
  }
  throw new Error(`${interfaceName} does not answer`);
}

/** @returns Packets. The sockets discard all answers. */
async function sendAll(): Promise<number> {
  const endMs = performance.now() + Number(seconds) * 1_000;
  let turns = 0;
  while (performance.now() < endMs) {
    for (let i = 0; i < TURNS_AT_ONCE; i++, turns++)
      sendBatch(senders[turns % senders.length]!, Math.floor(turns / senders.length));
    await pause(0);
  }
  return turns * ROWS;
}

/** @param turn The turn of this sender, whose flows alternate. */
function sendBatch(sender: Sender, turn: number): void {
  const { device, aead, socket, batch } = sender;
  fill(sender, turn, ROWS);
  device.route(batch, nowMs());
  aead.seal(batch);
  socket.send(batch, 0);
}

function fill({ batch, flows }: Sender, turn: number, rows: number): void {
  batch.clear();
  for (let i = 0; i < rows; i++) batch.appendRow(PACKET_BYTES);
  batch.bytes.set(flows[turn % flows.length]!.bytes);
}

function keyText({ publicKey }: Device): string {
  return Buffer.from(publicKey!).toString('base64');
}

function wg(...words: readonly string[]): string {
  return execFileSync('wg', words, { encoding: 'utf8' });
}

function nowMs(): number {
  return Math.floor(performance.now());
}
