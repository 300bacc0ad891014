/**
 * redis by `ioredis`, whose `Connector` opens the connections.
 *
 *     node ioredis.js wg0.conf 10.0.0.1 6379
 */
import { Redis } from 'ioredis';
import { openTunnel } from 'wiretype';

const [config, host, port] = process.argv.slice(2);
const tunnel = await openTunnel(config);

class TunnelConnector {
  connect() {
    this.socket = tunnel.connect({ host, port: Number(port) });
    return Promise.resolve(this.socket);
  }

  check() {
    return true;
  }

  disconnect() {
    this.socket?.end();
  }
}

const redis = new Redis({ Connector: TunnelConnector });
await redis.set('greeting', 'hello from inside');
console.log(await redis.get('greeting'));
const pipeline = redis.pipeline();
for (let i = 0; i < 1_000; i++) pipeline.incrby('sum', i);
await pipeline.exec();
console.log(await redis.get('sum'));
await redis.quit();
await tunnel.close();
