/** One device floods; the others go on. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { inOwnNamespace, ip } from '../../addon/own-namespace.js';
import { EngineLab } from './engine-lab.js';
import { listen } from './servers.js';

const SERVER = '45.45.0.7';
/** A neighbour that is not there: packets for it vanish. */
const SILENT = '45.46.0.7';
const TIME_LIMIT = { timeout: 120_000 };
const OTHERS = 100;

it(...inOwnNamespace(import.meta.url, defineTests));

function defineTests(): void {
  ip('route add local 45.45.0.0/24 dev lo');
  ip('link add silent type veth peer name hole');
  ip('link set silent up');
  ip('link set hole up');
  ip('addr add 45.46.0.1/24 dev silent');
  ip(`neigh add ${SILENT} lladdr 02:00:00:00:00:01 dev silent`);

  describe('a device that floods', () => {
    it('takes no connection from another: of 100, at least 80 succeed', TIME_LIMIT, async () => {
      await using lab = await EngineLab.open();
      const { host: flooder } = await lab.addDevice('flooder', 2);
      const { host: other } = await lab.addDevice('other', 3);
      const { server, port } = await listen(SERVER, (socket) => socket.on('error', () => {}).end('page'));
      const hanging = Array.from({ length: 3_000 }, (_, i) => {
        const socket = flooder.connect({ host: SILENT, port: 1 + (i % 60_000) });
        return socket.on('error', () => {});
      });
      await delay(500);
      let good = 0;
      await Promise.all(
        Array.from({ length: OTHERS }, async () => {
          const socket = other.connect({ host: SERVER, port });
          socket.on('error', () => {});
          const [chunk] = await Promise.race([once(socket, 'data'), delay(10_000, [])]).catch(() => []);
          if (String(chunk) === 'page') good++;
          socket.destroy();
        }),
      );
      assert.ok(good >= 0.8 * OTHERS, `${good} of ${OTHERS}`);
      for (const socket of hanging) socket.destroy();
      server.close();
    });

    it('takes no place of UDP from another: what it opens makes its own room', TIME_LIMIT, async () => {
      await using lab = await EngineLab.open();
      const { host: flooder } = await lab.addDevice('flooder', 2);
      const { host: other } = await lab.addDevice('other', 3);
      const own = other.createUdpSocket();
      own.send('a', 9, SERVER);
      while (lab.engine.flows('other').length < 1) await delay(10);
      const sockets = Array.from({ length: 3_000 }, () => flooder.createUdpSocket());
      sockets[0]!.send('x', 9, SERVER); // what follows a handshake that is not over is bounded
      while (lab.engine.flows('flooder').length < 1) await delay(10);
      for (const [i, socket] of sockets.entries()) {
        socket.send('x', 9, SERVER);
        if (i % 50 === 0) await delay(1);
      }
      while ((lab.engine.counters()['udpEvicted'] ?? 0) < 1_000) await delay(20);
      assert.equal(lab.engine.flows('other').length, 1);
      assert.ok(lab.engine.flows('flooder').length <= 1_024);
      for (const socket of [own, ...sockets]) socket.close();
    });
  });
}
