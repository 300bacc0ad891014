/**
 * A stranger that sends every kind of invalid message to a WireGuard port: run inside a host, as
 * `node stranger.js CAPTURE SOURCE-ADDRESS ADDRESS PORT`.
 *
 * Replays all messages of the capture, each as it is, cut, extended and with single bits flipped; then messages of
 * every type with every kind of length. Ends with status 0 when all are sent.
 */
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';

import { parseCapture } from './capture.js';

const [capturePath = '', source = '', address = '', port = ''] = process.argv.slice(2);
const MESSAGE_BYTES = [148, 92, 64, 32];
const FLIPS_PER_MESSAGE = 64;
/** Few enough at a time for the receiver's buffer, so that all are looked at. */
const DATAGRAMS_PER_TURN = 32;

function* replays(): Generator<Buffer> {
  for (const { udp } of parseCapture(readFileSync(capturePath))) {
    if (udp === undefined) continue;
    yield udp.payload;
    yield udp.payload.subarray(0, -1);
    yield Buffer.concat([udp.payload, Buffer.alloc(1)]);
    for (let flip = 0; flip < FLIPS_PER_MESSAGE; flip++) yield flipped(udp.payload, flip);
  }
}

function flipped(message: Buffer, flip: number): Buffer {
  const bit = Math.floor((flip * message.length * 8) / FLIPS_PER_MESSAGE);
  const copy = Buffer.from(message);
  copy[bit >> 3]! ^= 1 << (bit & 7);
  return copy;
}

function* garbage(): Generator<Buffer> {
  for (let length = 0; length <= 160; length++) yield ofType(length % 6, length);
  for (let type = 0; type <= 5; type++)
    for (const length of [...MESSAGE_BYTES, 1_420, 9_000, 65_507]) yield ofType(type, length);
  for (let bit = 8; bit < 32; bit++) yield withReservedBit(bit);
}

/** Returns random bytes with this type of message. */
function ofType(type: number, length: number): Buffer {
  const message = randomBytes(length);
  for (let at = 0; at < Math.min(4, length); at++) message[at] = at === 0 ? type : 0;
  return message;
}

function withReservedBit(bit: number): Buffer {
  const message = ofType(1, 148);
  message.writeUInt32LE((1 | (1 << bit)) >>> 0);
  return message;
}

const socket = createSocket('udp4');
await new Promise<void>((resolve) => socket.bind(0, source, resolve));
let inTurn = 0;
for (const datagram of [...replays(), ...garbage()]) {
  await new Promise((resolve) => socket.send(datagram, Number(port), address, resolve));
  if (++inTurn % DATAGRAMS_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
}
socket.close();
