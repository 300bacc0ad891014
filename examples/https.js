/**
 * HTTPS with a certificate of a company's own authority: the name in the URL is the one that is checked.
 *
 *     node https.js wg0.conf https://10.0.0.1/ ca.pem
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import https from 'node:https';
import { text } from 'node:stream/consumers';

import { openTunnel } from 'wiretype';

const [config, url, authority] = process.argv.slice(2);
const tunnel = await openTunnel(config);

const request = https.get(url, { agent: tunnel.httpsAgent, ca: readFileSync(authority) });
const [response] = await once(request, 'response');
console.log(response.statusCode, response.socket.getProtocol(), await text(response));
await tunnel.close();
