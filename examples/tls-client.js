/**
 * TLS over a socket of the tunnel. `servername` is the name that the certificate has to carry.
 *
 *     node tls-client.js wg0.conf 10.0.0.1 8443 ca.pem example.internal
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import tls from 'node:tls';

import { openTunnel } from 'wiretype';

const [config, host, port, authority, servername] = process.argv.slice(2);
const tunnel = await openTunnel(config);

const socket = tunnel.connect({ host, port: Number(port), allowHalfOpen: true });
const secure = tls.connect({ socket, servername, ca: readFileSync(authority) });
await once(secure, 'secureConnect');
secure.end('hello over TLS\n');
console.log(secure.getProtocol(), await text(secure));
await tunnel.close();
