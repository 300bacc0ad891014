/**
 * Many initiators in one process: completes handshakes with one responder as fast as it answers.
 *
 *     node initiators.js INTERFACE ADDRESS PORT HANDSHAKES
 *
 * Adds its peers to the interface, by `wg`. The initiations are computed beforehand. Prints a line
 * of JSON: how many handshakes were completed, and how many a second.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { loadAddon } from '../../src/addon/load.js';
import { consumeResponse, type InitiatorState } from '../../src/core/handshake/handshake.js';
import { PacketBatch } from '../../src/core/packets/packet-batch.js';
import { NativeSocket } from '../../src/host/native-socket.js';
import { Endpoint } from '../../src/wire/endpoint.js';
import * as response from '../../src/wire/handshake-response.js';
import * as messages from '../../src/wire/messages.js';
import * as transportData from '../../src/wire/transport-data.js';
import { begin, benchCrypto, type Initiator, makeInitiator } from './initiations.js';

const INITIATORS = 1_000;
/** Initiations that wait for a response: too few to put the responder under load. */
const WINDOW = 48;
/** Stamps of one initiator lie as far apart as a responder demands. */
const STAMP_STEP_MS = 100;
const GIVE_UP_MS = 20_000;
const ROWS = 128;
const ROW_BYTES = 2_048;

interface Pending {
  readonly initiator: Initiator;
  readonly message: Uint8Array;
  readonly state: InitiatorState;
}

const [interfaceName = '', address = '', port = '', handshakes = ''] = process.argv.slice(2);
if (!isIPv4(address)) throw new TypeError(`${address} is no IPv4 address`);

const crypto = benchCrypto();
const socket = NativeSocket.open(loadAddon(), 0);
const responder = Endpoint.from(Uint8Array.from(address.split('.'), Number), Number(port));
const pending = prepare(Number(handshakes));
const received = new PacketBatch(ROWS, ROWS * ROW_BYTES);
const toSend = new PacketBatch(ROWS, ROWS * ROW_BYTES);
let begun = 0;
let completed = 0;

const startMs = performance.now();
let lastMs = startMs;
const deadline = setTimeout(finish, GIVE_UP_MS);
socket.onReadable = () => {
  while (socket.receive(received) > 0) for (let row = 0; row < received.count; row++) take(row);
  lastMs = performance.now();
  fill();
};
fill();

/** Makes the initiations, in an order in which every initiator has its turn before the first has its second. */
function prepare(count: number): Pending[] {
  const responderPublic = Buffer.from(
    execFileSync('wg', ['show', interfaceName, 'public-key'], { encoding: 'utf8' }),
    'base64',
  );
  const initiators = Array.from({ length: INITIATORS }, () => makeInitiator(crypto, new Uint8Array(responderPublic)));
  introduce(initiators);
  const nowMs = Date.now();
  return Array.from({ length: count }, (_, index) => {
    const initiator = initiators[index % INITIATORS]!;
    const stampMs = nowMs + Math.floor(index / INITIATORS) * STAMP_STEP_MS;
    return { initiator, ...begin(crypto, initiator, index, stampMs) };
  });
}

function introduce(initiators: readonly Initiator[]): void {
  const folder = mkdtempSync(join(tmpdir(), 'wiretype-bench-'));
  try {
    const peers = initiators.map(
      ({ identity }) => `[Peer]\nPublicKey = ${Buffer.from(identity.staticPublic).toString('base64')}\n`,
    );
    writeFileSync(join(folder, 'peers'), peers.join(''));
    execFileSync('wg', ['addconf', interfaceName, join(folder, 'peers')]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function fill(): void {
  while (begun < pending.length && begun - completed < WINDOW) put(pending[begun++]!.message);
  socket.send(toSend, 0);
  toSend.clear();
  if (completed === pending.length) finish();
}

function put(message: Uint8Array): void {
  const row = toSend.appendRow(message.length);
  toSend.bytes.set(message, toSend.offset[row]);
  toSend.setEndpoint(row, responder.words, 0);
}

/** A response is answered by a keepalive: only then is the session the responder's. */
function take(row: number): void {
  const at = received.offset[row]!;
  const message = received.bytes.slice(at, at + received.length[row]!);
  if (messages.messageType(message, 0, message.length) !== messages.MessageType.HandshakeResponse) return;
  const { initiator, state } = pending[response.receiverIndex(message)]!;
  const keys = consumeResponse(initiator.identity, initiator.remote, state, message);
  if (typeof keys === 'string') throw new Error(`the response is refused: ${keys}`);
  const keepalive = new Uint8Array(messages.TRANSPORT_DATA_MIN_BYTES);
  transportData.writeHeader(keepalive, 0, keys.remoteIndex, 0, 0);
  const tag = keepalive.subarray(transportData.TRANSPORT_DATA_HEADER_BYTES);
  crypto.seal(tag, keys.sendKey, new Uint8Array(0), new Uint8Array(0));
  put(keepalive);
  completed++;
}

function finish(): void {
  clearTimeout(deadline);
  const perSecond = (completed * 1_000) / (lastMs - startMs);
  process.stdout.write(`${JSON.stringify({ completed, perSecond })}\n`);
  socket.close();
}
