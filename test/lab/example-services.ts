/**
 * Serves everything that the examples use, inside a host: `node example-services.js ADDRESS KEY-FILE CERTIFICATE-FILE`.
 *
 * 80: HTTP; 443: HTTPS; 8080: HTTP/2 without TLS; 8443: TLS that answers in capitals; 8081: WebSocket that sends back;
 * UDP 7: sends back; UDP 53: every name is ours.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http, { type RequestListener } from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import { createRequire } from 'node:module';
import tls from 'node:tls';

import { type Answer, decode, encode } from 'dns-packet';

import { CHECKOUT } from './implementation.js';

interface WebSocketPackage {
  readonly WebSocketServer: new (options: {
    server: http.Server;
  }) => {
    on(event: 'connection', listener: (peer: EchoPeer) => void): void;
  };
}

interface EchoPeer {
  on(event: 'message', listener: (message: unknown) => void): void;
  send(text: string): void;
}

const [address = '', keyFile = '', certificateFile = ''] = process.argv.slice(2);
const identity = { key: readFileSync(keyFile), cert: readFileSync(certificateFile) };
const { WebSocketServer } = createRequire(`${CHECKOUT}examples/package.json`)('ws') as WebSocketPackage;

const hello: RequestListener = (request, response) => {
  response.end(`hello ${request.socket.remoteAddress}`);
};
const sockets = http.createServer();
new WebSocketServer({ server: sockets }).on('connection', (peer) =>
  peer.on('message', (message) => peer.send(`echo: ${message}`)),
);
const capitals = tls.createServer({ ...identity, allowHalfOpen: true }, (socket) =>
  socket
    .setEncoding('utf8')
    .on('data', (text: string) => socket.write(text.toUpperCase()))
    .on('end', () => socket.end()),
);
for (const [server, port] of [
  [http.createServer(hello), 80],
  [https.createServer(identity, hello), 443],
  [http2.createServer((request, response) => response.end(`hello ${request.url}`)), 8080],
  [sockets, 8081],
  [capitals, 8443],
] as const)
  await once(server.listen(port, address), 'listening');

const echo = createSocket('udp4', (message, from) => echo.send(message, from.port, from.address));
const names = createSocket('udp4', (query, from) => names.send(answerTo(query), from.port, from.address));
for (const [socket, port] of [
  [echo, 7],
  [names, 53],
] as const) {
  socket.bind(port, address);
  await once(socket, 'listening');
}
process.stdout.write('ready\n');

function answerTo(query: Buffer): Buffer {
  const { id = 0, questions = [] } = decode(query);
  const [{ name, type } = { name: '.', type: 'A' }] = questions;
  const answers: Answer[] = [];
  if (type === 'A') answers.push({ type, name, ttl: 60, data: address });
  if (type === 'TXT') answers.push({ type, name, ttl: 60, data: 'inside only' });
  return encode({ type: 'response', id, questions, answers });
}
