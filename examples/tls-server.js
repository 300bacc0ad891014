/**
 * A TLS server inside the tunnel: it sends back what it gets, in capitals.
 *
 *     node tls-server.js wg0.conf 8443 key.pem cert.pem
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import tls from 'node:tls';

import { openTunnel } from 'wiretype';

const [config, port, key, cert] = process.argv.slice(2);
const tunnel = await openTunnel(config);

const secure = tls.createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (socket) => {
  socket.on('error', (error) => console.error(error.message));
  socket.setEncoding('utf8').on('data', (text) => socket.end(text.toUpperCase()));
});
secure.on('tlsClientError', (error) => console.error(error.message));
const server = tunnel.createServer((socket) => secure.emit('connection', socket)).listen(port);
await once(server, 'listening');
console.log(`listening on port ${port} of ${tunnel.addresses}`);
