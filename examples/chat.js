/**
 * A chat between programs in one network, without a server between them: each listens inside the tunnel, and says
 * what is typed to everybody it knows.
 *
 *     node chat.js wg0.conf NAME [10.0.0.2 …]
 */
import { once } from 'node:events';
import { createInterface } from 'node:readline';

import { openTunnel } from 'wiretype';

const PORT = 4_000;

const [config, name, ...others] = process.argv.slice(2);
const tunnel = await openTunnel(config);
const friends = new Set();

function welcome(socket) {
  socket.setKeepAlive(true, 30_000);
  socket.once('error', (error) => console.log(`* ${error.message}`));
  socket.once('close', () => friends.delete(socket));
  createInterface({ input: socket }).on('line', (line) => console.log(line));
  friends.add(socket);
  socket.write(`* ${name} is here\n`);
}

const server = tunnel.createServer(welcome).listen(PORT);
await once(server, 'listening');
for (const host of others) {
  const socket = tunnel.connect({ host, port: PORT }, () => welcome(socket));
  socket.once('error', (error) => console.log(`* ${error.message}`));
}
console.log(`* you are ${name} at ${tunnel.addresses[0]}`);

for await (const line of createInterface({ input: process.stdin }))
  for (const friend of friends) friend.write(`${name}: ${line}\n`);
for (const friend of friends) friend.end();
server.close();
await once(server, 'close');
await tunnel.close();
