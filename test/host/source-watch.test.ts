import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Device } from '../../src/core/device.js';
import { JsAead } from '../../src/crypto/js-aead.js';
import { NodeCrypto } from '../../src/crypto/node-crypto.js';
import { SourceWatch } from '../../src/host/source-watch.js';
import { Endpoint } from '../../src/wire/endpoint.js';
import { seededEnvironment } from '../core/seeded-environment.js';
import { waitFor } from '../lab/wait.js';

describe('SourceWatch', () => {
  it('forgets the sources that the system finds stale, and no other', async () => {
    const device = deviceWith(6, (i) => i);
    const watch = new SourceWatch(device, (endpoint) => endpoint.port % 2 === 0);
    watch.routesChanged();
    await waitFor('the sweep', () => withSource(device).length === 3);
    assert.deepEqual(withSource(device), [1, 3, 5]);
    watch.close();
  });

  it('checks each pair of source and destination once, regardless of the port', async () => {
    const device = deviceWith(1_000, (i) => i % 3);
    let asked = 0;
    const watch = new SourceWatch(device, () => {
      asked++;
      return true;
    });
    watch.routesChanged();
    await waitFor('the sweep', () => withSource(device).length === 0);
    assert.equal(asked, 3);
    watch.close();
  });

  it('lets the event loop have its turn while it looks through many peers', async () => {
    const device = deviceWith(2_000, (i) => i);
    let asked = 0;
    const watch = new SourceWatch(device, () => {
      asked++;
      return false;
    });
    watch.routesChanged();
    watch.routesChanged();
    let most = 0;
    for (let before = 0; asked < 2_000; before = asked) {
      await new Promise((resolve) => setImmediate(resolve));
      most = Math.max(most, asked - before);
    }
    assert.ok(most > 0 && most <= 400, `${most} in a turn`);
    await waitFor('one more sweep, since routes changed during the first', () => asked === 4_000);
    watch.close();
  });

  it('forgets a source that was refused, for every peer that has just this endpoint', async () => {
    const device = deviceWith(5, (i) => i);
    const watch = new SourceWatch(device, () => assert.fail('the system is not asked'));
    const refused = [...device.peers][3]!.endpoint!.clone();
    for (let i = 0; i < 100; i++) watch.sourceRefused(refused);
    await waitFor('the source to be forgotten', () => withSource(device).length === 4);
    assert.deepEqual(withSource(device), [0, 1, 2, 4]);
    watch.close();
  });

  it('does nothing once it is closed', async () => {
    const device = deviceWith(500, (i) => i);
    const watch = new SourceWatch(device, () => true);
    watch.routesChanged();
    watch.sourceRefused([...device.peers][0]!.endpoint!);
    watch.close();
    await new Promise((resolve) => setTimeout(resolve, 150));
    assert.equal(withSource(device).length, 500);
  });
});

/** Peers at ports 0, 1, 2, …; the last byte of each one's address is `host` of its number. */
function deviceWith(count: number, host: (i: number) => number): Device {
  const device = new Device({ crypto: new NodeCrypto(), environment: seededEnvironment(), aead: new JsAead() });
  const peers = Array.from({ length: count }, (_, i) => {
    const publicKey = new Uint8Array(32).fill(7);
    new DataView(publicKey.buffer).setUint32(0, i);
    const endpoint = Endpoint.from(Uint8Array.of(192, 0, host(i) >> 8, host(i) & 0xff), i);
    endpoint.words[6] = 1;
    return { publicKey, isRemoval: false, isUpdateOnly: false, endpoint, replaceAllowedIps: false, allowedIps: [] };
  });
  device.applyChange({ replacePeers: false, peers }, 0);
  return device;
}

function withSource(device: Device): number[] {
  return [...device.peers].flatMap(({ endpoint }) => (endpoint?.hasSource ? [endpoint.port] : []));
}
