/**
 * Several requests over one connection: `tunnel.agent` keeps connections of `node:http` for the next request.
 *
 *     node http-keep-alive.js wg0.conf http://10.0.0.1/
 */
import { once } from 'node:events';
import http from 'node:http';
import { text } from 'node:stream/consumers';

import { openTunnel } from 'wiretype';

const [config, url] = process.argv.slice(2);
const tunnel = await openTunnel(config);

const ports = new Set();
for (let i = 0; i < 3; i++) {
  const request = http.get(url, { agent: tunnel.agent });
  const [response] = await once(request, 'response');
  ports.add(response.socket.localPort);
  console.log(response.statusCode, await text(response));
}
console.log(`${ports.size} connection`);
await tunnel.close();
