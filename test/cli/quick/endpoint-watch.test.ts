import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';

import { EndpointWatch } from '../../../src/cli/quick/endpoint-watch.js';
import { reresolve } from '../../../src/cli/quick/reresolve.js';
import { parseConfig } from '../../../src/control/config/index.js';
import type { PeerState } from '../../../src/control/device-control.js';
import { formatEndpoint } from '../../../src/control/endpoint-text.js';
import { parseKey } from '../../../src/control/key-text.js';
import { SystemZoneNames } from '../../../src/control/zone-names.js';
import type { DeviceChange } from '../../../src/core/configuration.js';
import { Endpoint } from '../../../src/wire/endpoint.js';

const KEY = 'xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=';
const NOW_MS = 1_800_000_000_000;
/** The name must be one that the system's own resolver knows without a query. */
const FILE = `[Interface]\n[Peer]\nPublicKey = ${KEY}\nEndpoint = localhost:51820\n`;

describe('reresolve', () => {
  it('tells the device where a silent peer has moved to', async () => {
    const device = new FakeDevice({ silentMs: 135_000 });

    const moves = await reresolve(parseConfig(FILE, 'f'), device, optionsWith(['192.0.2.7']));

    assert.deepEqual(device.said, ['192.0.2.7:51820']);
    assert.deepEqual(
      moves.map(({ from, to, endpoint }) => [endpoint, from, to]),
      [['localhost:51820', '192.0.2.1:51820', '192.0.2.7:51820']],
    );
  });

  it('leaves a peer that has made a handshake within 135 s', async () => {
    const device = new FakeDevice({ silentMs: 134_999 });
    await reresolve(parseConfig(FILE, 'f'), device, optionsWith(['192.0.2.7']));
    assert.deepEqual(device.said, []);
  });

  it('keeps an address that the name still has, wherever it stands among the others', async () => {
    const device = new FakeDevice({ silentMs: 1e9 });
    await reresolve(parseConfig(FILE, 'f'), device, optionsWith(['192.0.2.7', '192.0.2.1']));
    assert.deepEqual(device.said, []);
  });

  it('follows another port of the file', async () => {
    const device = new FakeDevice({ silentMs: 1e9 });
    await reresolve(parseConfig(FILE.replace('51820', '7'), 'f'), device, optionsWith(['192.0.2.1']));
    assert.deepEqual(device.said, ['192.0.2.1:7']);
  });

  it('warns of a name that cannot be looked up, and goes on', async () => {
    const device = new FakeDevice({ silentMs: 1e9 });
    const warnings: string[] = [];
    const { names } = optionsWith([]);

    await reresolve(parseConfig(FILE, 'f'), device, {
      unixTimeMs: NOW_MS,
      names: { ...names, warn: (text) => warnings.push(text) },
    });

    assert.deepEqual(device.said, []);
    assert.match(warnings[0]!, /localhost/);
  });

  it('asks nobody about addresses', async () => {
    const device = new FakeDevice({ silentMs: 1e9 });
    const lookup = async () => assert.fail('asked');
    const options = optionsWith([]);
    const document = parseConfig(FILE.replace('localhost', '192.0.2.9'), 'f');

    assert.deepEqual(await reresolve(document, device, { ...options, names: { ...options.names, lookup } }), []);
    assert.equal(device.reads, 0);
  });
});

describe('EndpointWatch', () => {
  it('looks again only while what is sent to the peer grows', async (t) => {
    const device = new FakeDevice({ silentMs: 1e9 });
    const { watch, log } = watchOf(t, device);

    await watch.look(NOW_MS);
    assert.equal(device.said.length, 1, 'at the first look nobody knows');
    device.peer.endpoint = Endpoint.from(Uint8Array.of(192, 0, 2, 1), 51_820);
    await watch.look(NOW_MS);
    assert.equal(device.said.length, 1);
    device.peer.txBytes += 148;
    await watch.look(NOW_MS);

    assert.equal(device.said.length, 2);
    assert.match(log[0]!, /^peer\(xTIB…p8Dg\) localhost:51820 moved from 192\.0\.2\.1:51820 to /);
  });

  it('reads the file again when it changes, and takes it well when it has gone or is broken', async (t) => {
    const device = new FakeDevice({ silentMs: 1e9 });
    const { watch, file, log } = watchOf(t, device);
    writeFileSync(file, FILE.replace('localhost', '192.0.2.9'));
    await watch.look(NOW_MS);
    assert.equal(device.reads, 0, 'there is no name in it');

    writeFileSync(file, `${FILE}# longer\n`);
    await watch.look(NOW_MS);
    assert.equal(device.reads, 1);

    writeFileSync(file, Buffer.from([0xff, 0xfe])); // the mark of UTF-16
    await watch.look(NOW_MS);
    assert.match(log.at(-1)!, /UTF-16/);
    rmSync(file);
    await watch.look(NOW_MS);
    assert.equal(device.reads, 1);
  });

  describe('leaves an endpoint alone that a person or a script has set', () => {
    const setTo = (device: FakeDevice, watch: EndpointWatch, lastByte: number, port = 51_820) => {
      const endpoint = Endpoint.from(Uint8Array.of(192, 0, 2, lastByte), port);
      device.peer.endpoint = endpoint;
      const { publicKey } = device.peer;
      const peer = {
        publicKey,
        endpoint,
        isRemoval: false,
        isUpdateOnly: true,
        replaceAllowedIps: false,
        allowedIps: [],
      };
      watch.note({ replacePeers: false, peers: [peer] });
    };
    const look = async (device: FakeDevice, watch: EndpointWatch) => {
      device.peer.txBytes += 148;
      await watch.look(NOW_MS);
    };

    it('that the name does not have, for as long as it stays', async (t) => {
      const device = new FakeDevice({ silentMs: 1e9 });
      const { watch } = watchOf(t, device, { addresses: ['192.0.2.7'] });
      setTo(device, watch, 99);
      for (let i = 0; i < 7; i++) await look(device, watch);
      assert.deepEqual(device.said, []);
    });

    it('also if the name gets the address later, and loses it again', async (t) => {
      const device = new FakeDevice({ silentMs: 1e9 });
      const addresses = ['192.0.2.7'];
      const { watch } = watchOf(t, device, { addresses });
      setTo(device, watch, 99);
      await look(device, watch);
      addresses[0] = '192.0.2.99';
      await look(device, watch);
      addresses[0] = '192.0.2.7';
      await look(device, watch);
      assert.deepEqual(device.said, []);
    });

    it('with another port than the name has', async (t) => {
      const device = new FakeDevice({ silentMs: 1e9 });
      const { watch } = watchOf(t, device, { addresses: ['192.0.2.7'] });
      setTo(device, watch, 7, 4_096);
      await look(device, watch);
      assert.deepEqual(device.said, []);
    });

    it('but follows an endpoint that the name had when it was set, as wg setconf sets it', async (t) => {
      const device = new FakeDevice({ silentMs: 1e9 });
      const addresses = ['192.0.2.50'];
      const { watch } = watchOf(t, device, { addresses });
      setTo(device, watch, 50);
      await look(device, watch);
      addresses[0] = '192.0.2.7';
      await look(device, watch);
      assert.deepEqual(device.said, ['192.0.2.7:51820']);
    });

    it('but follows an endpoint that up or reload has looked up, wherever the name points by now', async (t) => {
      const device = new FakeDevice({ silentMs: 1e9 });
      const { watch } = watchOf(t, device, { addresses: ['192.0.2.7'], lookedUp: { [KEY]: '192.0.2.50:51820' } });
      setTo(device, watch, 50);
      await look(device, watch);
      assert.deepEqual(device.said, ['192.0.2.7:51820']);
    });

    it('but follows a peer that has roamed since', async (t) => {
      const device = new FakeDevice({ silentMs: 1e9 });
      const { watch } = watchOf(t, device, { addresses: ['192.0.2.7'] });
      setTo(device, watch, 99);
      device.peer.endpoint = Endpoint.from(Uint8Array.of(192, 0, 2, 100), 51_820);
      await look(device, watch);
      assert.deepEqual(device.said, ['192.0.2.7:51820']);
    });

    it('while the name cannot be looked up', async (t) => {
      const device = new FakeDevice({ silentMs: 1e9 });
      const addresses: string[] = [];
      const { watch } = watchOf(t, device, { addresses });
      setTo(device, watch, 99);
      await look(device, watch);
      addresses.push('192.0.2.7');
      await look(device, watch);
      assert.deepEqual(device.said, []);
    });
  });

  it('goes on when the system cannot read the file, or the file is something to wait for', async (t) => {
    const device = new FakeDevice({ silentMs: 1e9 });
    const { watch, file, log } = watchOf(t, device);
    rmSync(file);
    symlinkSync(file, file);
    await watch.look(NOW_MS);
    assert.match(log.at(-1)!, /ELOOP/);
    rmSync(file);
    execFileSync('mkfifo', [file]);
    await watch.look(NOW_MS);
    assert.equal(device.reads, 0);
  });

  it('does not keep the process alive, and stops', (t) => {
    const { watch } = watchOf(t, new FakeDevice({ silentMs: 1e9 }));
    watch.start();
    watch.stop();
  });
});

class FakeDevice {
  readonly said: string[] = [];
  reads = 0;
  readonly peer: { -readonly [Key in keyof PeerState]: PeerState[Key] };

  constructor({ silentMs }: { silentMs: number }) {
    this.peer = {
      publicKey: parseKey(KEY, ''),
      presharedKey: new Uint8Array(32),
      endpoint: Endpoint.from(Uint8Array.of(192, 0, 2, 1), 51_820),
      persistentKeepaliveSeconds: 0,
      rxBytes: 0,
      txBytes: 0,
      lastHandshakeUnixMs: NOW_MS - silentMs,
      allowedIps: [],
    };
  }

  async peers(): Promise<Iterable<PeerState>> {
    this.reads++;
    return [this.peer];
  }

  async apply({ peers }: DeviceChange): Promise<void> {
    for (const { endpoint, isUpdateOnly } of peers) {
      assert.ok(isUpdateOnly, 'a peer that was removed meanwhile does not come back');
      this.said.push(formatEndpoint(endpoint!, new SystemZoneNames()));
      this.peer.endpoint = endpoint;
    }
  }
}

function optionsWith(addresses: readonly string[]) {
  const lookup = async () => {
    if (addresses.length === 0) throw Object.assign(new Error('later'), { code: 'EAI_AGAIN' });
    return addresses.map((address) => ({ address, family: 4 }));
  };
  const names = { retries: 15, interruption: new AbortController().signal, warn: () => {}, lookup };
  return { unixTimeMs: NOW_MS, names };
}

interface Names {
  /** The addresses of the name in the file. Absent: the system's resolver finds them. */
  readonly addresses?: readonly string[];
  readonly lookedUp?: Readonly<Record<string, string>>;
}

function watchOf(t: Pick<TestContext, 'after'>, device: FakeDevice, { addresses, lookedUp }: Names = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'wiretype-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'wg0.conf');
  writeFileSync(file, FILE);
  const log: string[] = [];
  const watch = new EndpointWatch({
    configFile: file,
    device,
    log: (text) => log.push(text),
    ...(addresses && { lookup: () => optionsWith(addresses).names.lookup() }),
    ...(lookedUp && { lookedUp: () => lookedUp }),
  });
  return { watch, file, log };
}
