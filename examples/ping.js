/**
 * Pings a host four times, and prints why there is no session if no reply comes.
 *
 *     node ping.js wg0.conf 10.0.0.1
 */
import { openTunnel } from 'wiretype';

const [config, host] = process.argv.slice(2);
const tunnel = await openTunnel(config);

for (let i = 0; i < 4; i++) {
  try {
    const { address, roundTripMs } = await tunnel.ping(host);
    console.log(`${address}: ${roundTripMs.toFixed(1)} ms`);
  } catch (error) {
    const reasons = tunnel.status().peers.map((peer) => peer.reason);
    console.log(`${error.message}. ${reasons.join(' ')}`);
    process.exitCode = 1;
  }
}
await tunnel.close();
