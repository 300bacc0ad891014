/**
 * Fastify, served inside the tunnel only: `serverFactory` gives it an HTTP server that opens no port of this machine.
 *
 *     node fastify.js wg0.conf 80
 */
import { once } from 'node:events';
import http from 'node:http';

import Fastify from 'fastify';
import { openTunnel } from 'wiretype';

const [config, port] = process.argv.slice(2);
const tunnel = await openTunnel(config);

let web;
const app = Fastify({
  serverFactory: (handler) => {
    web = http.createServer(handler);
    return web;
  },
});
app.get('/', (request) => ({ you: request.ip, server: 'fastify' }));
app.post('/length', (request) => ({ characters: JSON.stringify(request.body).length }));
await app.ready(); // instead of listen

const server = tunnel.createServer((socket) => web.emit('connection', socket)).listen(port);
await once(server, 'listening');
console.log(`listening on port ${port} of ${tunnel.addresses}`);
