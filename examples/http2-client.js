/**
 * HTTP/2 without TLS: `createConnection` hands the session a socket of the tunnel.
 *
 *     node http2-client.js wg0.conf http://10.0.0.1:8080/
 */
import { once } from 'node:events';
import http2 from 'node:http2';
import { text } from 'node:stream/consumers';

import { openTunnel } from 'wiretype';

const [config, url] = process.argv.slice(2);
const tunnel = await openTunnel(config);

const session = http2.connect(url, {
  createConnection: ({ hostname, port }) => tunnel.connect({ host: hostname, port: Number(port || 80) }),
});
const paths = ['/one', '/two', '/three']; // streams of one connection, at the same time
const answers = await Promise.all(
  paths.map(async (path) => {
    const stream = session.request({ ':path': path });
    const [headers] = await once(stream, 'response');
    return `${headers[':status']} ${await text(stream)}`;
  }),
);
console.log(answers.join('\n'));
session.close();
await once(session, 'close');
await tunnel.close();
