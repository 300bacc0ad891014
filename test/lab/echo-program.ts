/**
 * Sends back what it gets: run as `node echo-program.js ADDRESS PORT PATH`, on TCP and UDP, and on a UNIX socket.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

const [address = '', port = '', path = ''] = process.argv.slice(2);

for (const place of [{ host: address, port: Number(port) }, { path }]) {
  const server = createServer({ allowHalfOpen: true }, (socket) => socket.on('error', () => {}).pipe(socket));
  await once(server.listen(place), 'listening');
}
const datagrams = createSocket('udp4', (message, from) => datagrams.send(message, from.port, from.address));
datagrams.bind(Number(port), address);
await once(datagrams, 'listening');
process.stdout.write('ready\n');
