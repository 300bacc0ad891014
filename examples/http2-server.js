/**
 * HTTP/2 without TLS, served inside the tunnel only.
 *
 *     node http2-server.js wg0.conf 8080
 */
import { once } from 'node:events';
import http2 from 'node:http2';

import { openTunnel } from 'wiretype';

const [config, port] = process.argv.slice(2);
const tunnel = await openTunnel(config);

const web = http2.createServer((request, response) => response.end(`${request.url} by HTTP/${request.httpVersion}\n`));
const server = tunnel.createServer((socket) => web.emit('connection', socket)).listen(port);
await once(server, 'listening');
console.log(`listening on port ${port} of ${tunnel.addresses}`);
