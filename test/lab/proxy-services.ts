/**
 * The services inside of the tunnel that `test/e2e/proxy.test.ts` reaches: run as `node proxy-services.js ADDRESS FOLDER`.
 *
 * Port 80 serves the files of FOLDER, 443 the same with the certificate there, 7 sends back what it gets, over TCP and UDP, and
 * 53 resolves every name below `.internal` to ADDRESS. Prints a line for each request, with the client's address.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer } from 'node:net';
import { join, normalize } from 'node:path';

import { AUTHORITATIVE_ANSWER, decode, encode } from 'dns-packet';

/** RFC 1035 §4.1.1, RCODE 3. */
const NAME_ERROR = 3;
const [address = '', folder = ''] = process.argv.slice(2);

const serveFile: RequestListener = ({ url = '/', socket, headers }, response) => {
  process.stdout.write(`${url} ${headers.host} from ${socket.remoteAddress}\n`);
  const path = join(folder, normalize(url.replace(/\?.*$/, '')));
  const isFile = existsSync(path) && statSync(path).isFile();
  response.writeHead(isFile ? 200 : 404).end(isFile ? readFileSync(path) : 'there is no such file\n');
};
const certificate = { cert: readFileSync(join(folder, 'cert.pem')), key: readFileSync(join(folder, 'key.pem')) };

await once(createHttpServer(serveFile).listen(80, address), 'listening');
await once(createHttpsServer(certificate, serveFile).listen(443, address), 'listening');
const echo = createServer({ allowHalfOpen: true }, (socket) => socket.on('error', () => {}).pipe(socket));
await once(echo.listen(7, address), 'listening');

const datagrams = createSocket('udp4', (message, from) => datagrams.send(message, from.port, from.address));
datagrams.bind(7, address);
await once(datagrams, 'listening');

const names = createSocket('udp4', (message, from) => {
  const { id = 0, questions = [] } = decode(message);
  const isKnown = questions.every(({ name }) => name.endsWith('.internal'));
  const known = questions.filter(({ type }) => isKnown && type === 'A');
  process.stdout.write(
    `question ${questions.map(({ name, type }) => `${name} ${type}`).join()} from ${from.address}\n`,
  );
  const answer = encode({
    type: 'response',
    id,
    flags: AUTHORITATIVE_ANSWER | (isKnown ? 0 : NAME_ERROR),
    questions,
    answers: known.map(({ name }) => ({ type: 'A', name, ttl: 60, data: address })),
  });
  names.send(answer, from.port, from.address);
});

names.bind(53, address);
await once(names, 'listening');
process.stdout.write('ready\n');
