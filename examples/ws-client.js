/**
 * A WebSocket through the tunnel. For `wss:` pass `tunnel.httpsAgent`.
 *
 *     node ws-client.js wg0.conf ws://10.0.0.1:8080/
 */
import { once } from 'node:events';

import { openTunnel } from 'wiretype';
import WebSocket from 'ws';

const [config, url] = process.argv.slice(2);
const tunnel = await openTunnel(config);

const socket = new WebSocket(url, { agent: tunnel.agent });
await once(socket, 'open');
for (const words of ['hello', 'over a WebSocket']) {
  socket.send(words);
  const [answer] = await once(socket, 'message');
  console.log(String(answer));
}
socket.close();
await once(socket, 'close');
await tunnel.close();
