/**
 * A local port for programs and libraries that take no socket: they connect to it, and come out at the other end.
 *
 *     node forward.js wg0.conf 127.0.0.1:5432 db.internal:5432
 */
import { openTunnel } from 'wiretype';

const [config, from, to] = process.argv.slice(2);
const tunnel = await openTunnel(config);

const forward = await tunnel.forward(from, to);
console.log(`listening on ${forward.host}:${forward.port}`);

process.once('SIGTERM', async () => {
  await forward.close();
  await tunnel.close();
});
