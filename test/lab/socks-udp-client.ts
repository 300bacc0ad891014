/**
 * A program that asks a name server through SOCKS5's UDP ASSOCIATE: run as `node socks-udp-client.js PROXYPORT SERVER NAME`.
 *
 * SERVER is an address or a name. Prints the address that NAME has.
 *
 * Source: RFC 1928 §4, §7.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, isIP, type Socket } from 'node:net';

import { decode, encode } from 'dns-packet';

const [proxyPort = '', server = '', name = ''] = process.argv.slice(2);
const HERE = '127.0.0.1';
const DNS_PORT = 53;
const UDP_ASSOCIATE = 3;
const REPLY_BYTES = 10;

const control = connect(Number(proxyPort), HERE);
control.write(Uint8Array.of(5, 1, 0));
await read(control, 2);
control.write(Uint8Array.of(5, UDP_ASSOCIATE, 0, 1, 0, 0, 0, 0, 0, 0));
const reply = await read(control, REPLY_BYTES);
if (reply[1] !== 0) throw new Error(`the proxy replied ${reply[1]}`);

const socket = createSocket('udp4');
const question = encode({ type: 'query', id: 7, questions: [{ type: 'A', name }] });
socket.send(Buffer.concat([Uint8Array.of(0, 0, 0), destination(), question]), reply.readUInt16BE(8), HERE);
const [message] = (await once(socket, 'message')) as [Buffer];
const { answers = [] } = decode(message.subarray(REPLY_BYTES));
process.stdout.write(`${answers.map((answer) => ('data' in answer ? String(answer.data) : '')).join()}\n`);
socket.close();
control.destroy();

/** Writes ATYP, DST.ADDR and DST.PORT. */
function destination(): Buffer {
  const port = Buffer.of(DNS_PORT >> 8, DNS_PORT & 255);
  if (isIP(server) === 4) return Buffer.concat([Buffer.of(1, ...server.split('.').map(Number)), port]);
  return Buffer.concat([Buffer.of(3, server.length), Buffer.from(server), port]);
}

async function read(from: Socket, bytes: number): Promise<Buffer> {
  for (;;) {
    const chunk = from.read(bytes) as Buffer | null;
    if (chunk !== null) return chunk;
    await once(from, 'readable');
  }
}
