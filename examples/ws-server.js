/**
 * A WebSocket server inside the tunnel: it sends every message back.
 *
 *     node ws-server.js wg0.conf 8080
 */
import { once } from 'node:events';
import http from 'node:http';

import { openTunnel } from 'wiretype';
import { WebSocketServer } from 'ws';

const [config, port] = process.argv.slice(2);
const tunnel = await openTunnel(config);

const web = http.createServer();
new WebSocketServer({ server: web }).on('connection', (peer) => {
  peer.on('message', (message) => peer.send(`echo: ${message}`));
});
const server = tunnel.createServer((socket) => web.emit('connection', socket)).listen(port);
await once(server, 'listening');
console.log(`listening on port ${port} of ${tunnel.addresses}`);
