/**
 * Express, served inside the tunnel only: no port of this machine is open.
 *
 *     node express.js wg0.conf 80
 */
import { once } from 'node:events';
import http from 'node:http';

import express from 'express';
import { openTunnel } from 'wiretype';

const [config, port] = process.argv.slice(2);
const tunnel = await openTunnel(config);

const app = express();
app.get('/', (request, response) => response.json({ you: request.ip, server: 'express' }));
app.post('/length', express.text({ limit: '10mb' }), (request, response) => {
  response.json({ characters: request.body.length });
});

const web = http.createServer(app);
const server = tunnel.createServer((socket) => web.emit('connection', socket)).listen(port);
await once(server, 'listening');
console.log(`listening on port ${port} of ${tunnel.addresses}`);
