/**
 * Names of the network behind the tunnel, asked of the servers in the `DNS` line of the configuration.
 *
 *     node dns.js wg0.conf db.internal
 */
import { openTunnel } from 'wiretype';

const [config, name] = process.argv.slice(2);
const tunnel = await openTunnel(config);

console.log('servers:', tunnel.resolver.getServers().join(', '));
for (const { address, family } of await tunnel.lookup(name)) console.log(`IPv${family}: ${address}`);
for (const { ttl, data } of await tunnel.resolver.query(name, 'TXT')) console.log(`TXT: ${data} (${ttl} s)`);
await tunnel.close();
