/**
 * The services on the internet of the guides: run inside a host, as `node internet-services.js ADDRESS4 ADDRESS6`.
 *
 * Port 80 returns the client's address. Port 53 resolves every name to our address (RFC 1035 §4.1).
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

const [address4 = '', address6 = ''] = process.argv.slice(2);
const HEADER_BYTES = 12;
const TYPE_A = 1;
/** A pointer to the name in the question, a type, class IN, a minute to live, a length. */
const RECORD_HEADER_BYTES = 12;

for (const address of [address4, address6]) {
  const server = createServer((socket) => socket.on('error', () => {}).end(String(socket.remoteAddress)));
  await once(server.listen(80, address), 'listening');
}
const names = createSocket('udp4', (query, { address, port }) => {
  const answer = answerTo(query);
  if (answer !== undefined) names.send(answer, port, address);
});
names.bind(53, address4);
await once(names, 'listening');
process.stdout.write('ready\n');

/** @returns `undefined` for what is no question. Only questions for IPv4 addresses have an answer in the answer. */
function answerTo(query: Buffer): Buffer | undefined {
  const question = query.subarray(HEADER_BYTES, query.indexOf(0, HEADER_BYTES) + 5);
  if (question.length < 5) return undefined;

  const answers = question.readUInt16BE(question.length - 4) === TYPE_A ? [addressRecord()] : [];
  const header = Buffer.alloc(HEADER_BYTES);
  query.copy(header, 0, 0, 2);
  header.writeUInt16BE(0x8180, 2); // a response, recursion desired and available
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(answers.length, 6);
  return Buffer.concat([header, question, ...answers]);
}

function addressRecord(): Buffer {
  const record = Buffer.alloc(RECORD_HEADER_BYTES);
  record.writeUInt16BE(0xc000 | HEADER_BYTES, 0);
  record.writeUInt16BE(TYPE_A, 2);
  record.writeUInt16BE(1, 4);
  record.writeUInt32BE(60, 6);
  record.writeUInt16BE(4, 10);
  return Buffer.concat([record, Buffer.from(address4.split('.').map(Number))]);
}
