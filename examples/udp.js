/**
 * UDP: asks a service and prints its answer. Datagrams may be lost, so that it asks again until there is one.
 *
 *     node udp.js wg0.conf 10.0.0.1 7 hello
 */
import { once } from 'node:events';

import { openTunnel } from 'wiretype';

const [config, host, port, words] = process.argv.slice(2);
const tunnel = await openTunnel(config);

const socket = tunnel.createUdpSocket(host.includes(':') ? 'udp6' : 'udp4');
const ask = () => socket.send(words, Number(port), host);
ask();
const again = setInterval(ask, 1_000);
const [message, from] = await once(socket, 'message');
clearInterval(again);
console.log(`${from.address}:${from.port} says ${message}`);
await tunnel.close();
