import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { formatKey } from '../../../src/control/key-text.js';
import { generateKeyPair } from '../../../src/crypto/key-pair.js';
import type { GatewaySettings } from '../../../src/gateway/gateway-model.js';
import { openGateway } from '../../../src/gateway/service/open-gateway.js';
import type { RunningGateway } from '../../../src/gateway/service/running-gateway.js';
import { openTunnel } from '../../../src/rootless/open-tunnel.js';
import { SqliteStore } from '../../../src/store/sqlite-store.js';
import { inOwnNamespace, ip } from '../../addon/own-namespace.js';
import { SETTINGS as ANY_SETTINGS } from '../../server/server-lab.js';

const SERVER = '45.45.0.7';
const TIME_LIMIT = { timeout: 120_000 };
const SETTINGS: GatewaySettings = { ...ANY_SETTINGS, endpoint: '127.0.0.1:51999', listenPort: 51_999 };

async function withGateway(test: (open: () => Promise<RunningGateway>) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'wiretype-service-'));
  const privateKey = randomBytes(32);
  const opened: RunningGateway[] = [];
  try {
    await test(async () => {
      const store = await SqliteStore.open(folder);
      const gateway = await openGateway({ store, privateKey, firstSettings: () => SETTINGS });
      opened.push(gateway);
      return gateway;
    });
  } finally {
    await opened.at(-1)?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function until(isDone: () => boolean): Promise<void> {
  while (!isDone()) await delay(5);
}

it(...inOwnNamespace(import.meta.url, defineTests));

function defineTests(): void {
  ip('route add local 45.45.0.0/24 dev lo');

  describe('a gateway', () => {
    it('gives a device a file that works, and shows it online', TIME_LIMIT, () =>
      withGateway(async (open) => {
        const gateway = await open();
        const keys = generateKeyPair();
        const added = await gateway.addDevice(
          { name: 'phone', publicKey: formatKey(keys.publicKey), hasPresharedKey: true },
          'local',
        );
        assert.deepEqual(added.device.addresses, ['10.77.0.2', 'fd77::2']);
        assert.equal(added.condition, 'never-seen');
        const server = createServer((socket) => socket.end('page'))
          .listen(80, SERVER)
          .unref();
        await once(server, 'listening');
        await using tunnel = await openTunnel(gateway.deviceFile(added.device.id, formatKey(keys.privateKey)));
        assert.equal(String(await buffer(tunnel.connect({ host: SERVER, port: 80 }))), 'page');
        const view = gateway.device(added.device.id)!;
        assert.equal(view.condition, 'online');
        assert.ok(view.sentBytes > 0 && view.proof.connected !== undefined);
        assert.equal(gateway.status().deviceCounts.online, 1);
        server.close();
      }),
    );

    it('keeps devices, keys in the making and the bin across a restart', TIME_LIMIT, () =>
      withGateway(async (open) => {
        const first = await open();
        const [phone, laptop] = [generateKeyPair(), generateKeyPair()];
        const a = await first.addDevice({ name: 'phone', publicKey: formatKey(phone.publicKey) }, 'local');
        const b = await first.addDevice({ name: 'laptop', publicKey: formatKey(laptop.publicKey) }, 'local');
        await first.reissueDevice(a.device.id, formatKey(generateKeyPair().publicKey), 'local');
        await first.deleteDevice(b.device.id, 'local');
        const before = first.devices().map(({ device }) => device);
        await first.close();

        const second = await open();
        assert.deepEqual(
          second.devices().map(({ device }) => device),
          before,
        );
        const c = await second.addDevice(
          { name: 'laptop', publicKey: formatKey(generateKeyPair().publicKey) },
          'local',
        );
        assert.deepEqual(c.device.addresses[0], '10.77.0.4', "an address in the bin is nobody else's");
        await assert.rejects(second.restoreDevice(b.device.id, 'local'), { code: 'ERR_DEVICE_EXISTS' });
        await second.changeDevice(c.device.id, { name: 'other' }, 'local');
        assert.equal((await second.restoreDevice(b.device.id, 'local')).device.name, 'laptop');
      }),
    );

    it('blocks at once, tells its readers, and writes everything down', TIME_LIMIT, () =>
      withGateway(async (open) => {
        const gateway = await open();
        const end = new AbortController();
        const kinds: string[] = [];
        const reading = (async () => {
          for await (const { kind } of gateway.events(end.signal)) kinds.push(kind);
        })();
        const publicKey = formatKey(generateKeyPair().publicKey);
        const { device } = await gateway.addDevice({ name: 'phone', publicKey }, 'local');
        const blocked = await gateway.changeDevice(device.id, { isBlocked: true }, 'p1');
        assert.deepEqual([blocked.condition, blocked.reason.code], ['blocked', 'device-blocked']);
        await until(() => kinds.length === 2);
        end.abort();
        await reading;
        assert.deepEqual(kinds, ['device-changed', 'device-changed']);
      }),
    );

    it('refuses what makes no sense, and changes nothing', TIME_LIMIT, () =>
      withGateway(async (open) => {
        const gateway = await open();
        const publicKey = formatKey(generateKeyPair().publicKey);
        await gateway.addDevice({ name: 'phone', publicKey }, 'local');
        const { revision } = gateway;
        for (const name of ['', 'two\nlines', 'x'.repeat(65), '-x'])
          await assert.rejects(
            gateway.addDevice({ name, publicKey: formatKey(generateKeyPair().publicKey) }, 'local'),
            { code: 'ERR_VALUE' },
          );
        await assert.rejects(gateway.addDevice({ name: 'other', publicKey }, 'local'), { code: 'ERR_DEVICE_EXISTS' });
        await assert.rejects(gateway.addDevice({ name: 'other', publicKey: 'x' }, 'local'), { code: 'ERR_KEY_FORMAT' });
        await assert.rejects(gateway.changeSettings({ mtu: 10 }, 'local'), { code: 'ERR_GATEWAY_SETTINGS' });
        await assert.rejects(gateway.changeDevice('nobody', { name: 'x' }, 'local'), { code: 'ERR_NO_DEVICE' });
        assert.equal(gateway.revision, revision);
        assert.equal(gateway.devices().length, 1);
      }),
    );
  });
}
