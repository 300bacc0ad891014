import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateKeyPair } from '../../test/lab/keys.js';

import { addAddresses, uniqueInterfaceName } from '../../test/lab/lab.js';
import type { Host } from '../../test/lab/namespace.js';
import { waitFor } from '../../test/lab/wait.js';
import { HUB } from '../contender.js';
import type { Measure } from '../measure.js';
import { openHub } from './hub-site.js';

const HUB_ADDRESS = '203.0.113.10';

interface StockPeer {
  readonly host: Host;
  readonly name: string;
  readonly outer: string;
  readonly inner: string;
  readonly publicKey: string;
}

/** TCP between two wireguard-go through the relay, beside the same two directly. */
export const relayedTcp: Measure = {
  id: 'mesh-tcp',
  quantities: [
    { id: 'mesh-tcp-direct', title: 'TCP between two wireguard-go, directly', unit: 'Gbit/s', digits: 2 },
    {
      id: 'mesh-tcp-relayed',
      title: 'the same two through the blind relay',
      unit: 'Gbit/s',
      digits: 2,
      goal: { atLeast: 0.6, thanOwn: 'mesh-tcp-direct' },
    },
  ],
  suits: ({ title }) => title === HUB,
  async take(site, { seconds }) {
    const [left, right] = await site.once('stock peers', async () => {
      const hubHost = await site.lab.host('hub');
      await hubHost.ip('link add br0 type bridge');
      await hubHost.ip('link set br0 up');
      await addAddresses([hubHost, 'br0', `${HUB_ADDRESS}/24`]);
      const { ask } = await openHub(site, hubHost, HUB_ADDRESS);
      const keys = [generateKeyPair(), generateKeyPair()] as const;
      const one = await openPeer(site, hubHost, 1, ask, keys[0]);
      const other = await openPeer(site, hubHost, 2, ask, keys[1]);
      await one.host.run('wg', ['set', one.name, 'peer', other.publicKey, 'allowed-ips', `${other.inner}/32`]);
      await other.host.run('wg', ['set', other.name, 'peer', one.publicKey, 'allowed-ips', `${one.inner}/32`]);
      await other.host.start('iperf3', ['-s', '--forceflush']).says(/listening/);
      return [one, other] as const;
    });
    const relayed = await through(left, right, [HUB_ADDRESS, HUB_ADDRESS], '51900', seconds);
    const direct = await through(left, right, [right.outer, left.outer], '51820', seconds);
    return { 'mesh-tcp-relayed': relayed, 'mesh-tcp-direct': direct };
  },
};

async function openPeer(
  site: Parameters<Measure['take']>[0],
  hubHost: Host,
  number: number,
  ask: (...words: readonly string[]) => Promise<string>,
  { privateKey, publicKey }: { readonly privateKey: string; readonly publicKey: string },
): Promise<StockPeer> {
  const host = await site.lab.host(`peer${number}`);
  await site.lab.cable([host, 'eth0'], [hubHost, `port${number}`]);
  await hubHost.ip(`link set port${number} master br0`);
  const outer = `203.0.113.${20 + number}`;
  await addAddresses([host, 'eth0', `${outer}/24`]);
  const file = await ask('add-device', `peer-${number}`, '--public-key', publicKey);
  const name = uniqueInterfaceName();
  host.start('wireguard-go', ['-f', name]);
  await waitFor(name, async () => (await host.attempt('wg', ['show', name])).status === 0);
  const stripped = file
    .replace('PrivateKey = ', `ListenPort = 51820\nPrivateKey = ${privateKey}`)
    .replace(/^(Address|DNS|MTU).*\n/gm, '');
  const path = join(site.lab.folder, `peer-${number}.conf`);
  writeFileSync(path, stripped, { mode: 0o600 });
  await host.run('wg', ['setconf', name, path]);
  const inner = /Address = ([\d.]+)/.exec(file)![1]!;
  await host.ip(`addr add ${inner}/16 dev ${name}`);
  await host.ip(`link set ${name} up mtu 1420`);
  return { host, name, outer, inner, publicKey };
}

async function through(
  left: StockPeer,
  right: StockPeer,
  [toRight, toLeft]: readonly [string, string],
  port: string,
  seconds: number,
): Promise<number> {
  await left.host.run('wg', ['set', left.name, 'peer', right.publicKey, 'endpoint', `${toRight}:${port}`]);
  await right.host.run('wg', ['set', right.name, 'peer', left.publicKey, 'endpoint', `${toLeft}:${port}`]);
  await waitFor(
    'an answer',
    async () => (await left.host.attempt('ping', ['-c', '1', '-W', '1', right.inner])).status === 0,
  );
  const text = await left.host.run('iperf3', ['-c', right.inner, '-t', String(seconds), '-J']);
  return JSON.parse(text).end.sum_received.bits_per_second / 1e9;
}
