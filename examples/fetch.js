/**
 * The `fetch` of Node, with the dispatcher of the tunnel.
 *
 *     node fetch.js wg0.conf http://10.0.0.1/
 */
import { openTunnel } from 'wiretype';

const [config, url] = process.argv.slice(2);
const tunnel = await openTunnel(config);

const response = await fetch(url, { dispatcher: tunnel.dispatcher });
console.log(response.status, await response.text());
await tunnel.close();
