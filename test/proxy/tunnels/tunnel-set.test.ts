import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';

import { TunnelWatch } from '../../../src/cli/proxy/tunnel-watch.js';
import { parseConfig } from '../../../src/control/config/index.js';
import { formatKey } from '../../../src/control/key-text.js';
import { generateKeyPair } from '../../../src/crypto/key-pair.js';
import type { ProxyTunnel } from '../../../src/proxy/proxy-config.js';
import { AliveCheck } from '../../../src/proxy/tunnels/alive-check.js';
import { tunnelHealth } from '../../../src/proxy/tunnels/tunnel-health.js';
import { TunnelSet } from '../../../src/proxy/tunnels/tunnel-set.js';
import { openTunnel } from '../../../src/rootless/open-tunnel.js';
import type { PingReply } from '../../../src/rootless/ping.js';
import type { TunnelHost } from '../../../src/rootless/tunnel-host.js';

const TIMEOUT = { timeout: 30_000 };
const NEVER = new AbortController().signal;

const [ours, theirs, third] = [generateKeyPair(), generateKeyPair(), generateKeyPair()];

describe('the tunnels of a proxy', () => {
  it('stay with their connections while only their peers change', TIMEOUT, async (t) => {
    const { set, endpoint } = await openSet(t);
    await follow(set, configuration(endpoint));
    const { host } = set.tunnels[0]!;
    const socket = host.connect({ host: '10.9.0.2', port: 7 });
    socket.write('before');
    await heard(socket, 'before');

    const other = `[Peer]\nPublicKey = ${formatKey(third.publicKey)}\nAllowedIPs = 10.10.0.0/24\n`;
    await follow(set, `${configuration(endpoint)}${other}`);

    assert.equal(set.tunnels[0]!.host, host);
    assert.deepEqual(
      host.status().peers.map(({ publicKey }) => publicKey),
      [theirs, third].map(({ publicKey }) => formatKey(publicKey)),
    );
    socket.write('after');
    await heard(socket, 'after');
    await follow(set, configuration(endpoint));
    assert.equal(host.status().peers.length, 1);
    socket.destroy();
  });

  it('are opened anew when their own addresses change, and closed when they are gone', TIMEOUT, async (t) => {
    const { set, endpoint } = await openSet(t);
    await follow(set, configuration(endpoint));
    const { host } = set.tunnels[0]!;

    await follow(set, configuration(endpoint).replace('10.9.0.1', '10.9.0.3'));

    assert.deepEqual(set.tunnels[0]!.host.addresses, ['10.9.0.3']);
    assert.throws(() => host.connect({ host: '10.9.0.2', port: 7 }), { code: 'ERR_CLOSED' });
  });

  it('change nothing if one of them cannot be opened, or the change is left', TIMEOUT, async (t) => {
    const { set, endpoint } = await openSet(t);
    await follow(set, configuration(endpoint));
    const { host } = set.tunnels[0]!;
    const broken = configuration('no-such-host.invalid:1').replace('10.9.0.1', '10.9.0.3');

    await assert.rejects(follow(set, broken), { code: 'ERR_NAME_RESOLUTION' });
    const left = await set.prepare([tunnel(configuration(endpoint).replace('10.9.0.1', '10.9.0.3'))], NEVER);
    await left.abort();

    assert.equal(set.tunnels[0]!.host, host);
    assert.equal(host.status().peers.length, 1);
  });

  it('print a line when a session begins', TIMEOUT, async (t) => {
    const { set, endpoint } = await openSet(t);
    await follow(set, configuration(endpoint));
    const lines: string[] = [];
    const watch = new TunnelWatch((line) => lines.push(line));
    t.after(() => watch.close());
    watch.watch(set.tunnels);
    watch.look();

    await set.tunnels[0]!.host.ping('10.9.0.2');
    watch.look();
    watch.look();

    assert.equal(lines.length, 2);
    assert.match(lines[0]!, /^home: There was nothing to send yet/);
    assert.equal(lines[1], 'home: There is a session.');
  });
});

describe('the health of a tunnel', () => {
  it('is that of its sessions without CheckAlive: a tunnel that nobody uses is ready', TIMEOUT, async (t) => {
    const { set, endpoint } = await openSet(t);
    await follow(set, configuration(endpoint));

    const health = tunnelHealth(set.tunnels[0]!, undefined);

    assert.equal(health.ready, true);
    assert.deepEqual(health.checkAlive, {});
    assert.equal(health.peers[0]!.reasonCode, 'nothing-to-send');
  });

  it('needs an answer of every address of CheckAlive within the interval and two seconds', TIMEOUT, async (t) => {
    const silent = new Set(['10.0.0.2']);
    const ping = async (address: string): Promise<PingReply> => {
      if (silent.has(address)) throw new Error('no answer');
      return { address, roundTripMs: 1 };
    };
    const check = new AliveCheck({ ping }, { checkAlive: ['10.0.0.1', '10.0.0.2'], checkAliveSeconds: 1 });
    t.after(() => check.close());
    await pause(0);
    assert.equal(check.isAlive(Date.now()), false);
    assert.equal(check.lastPongs.get('10.0.0.2'), 0);

    silent.clear();
    while (!check.isAlive(Date.now())) await pause(20);

    const latest = Math.min(...check.lastPongs.values());
    assert.equal(check.isAlive(latest + 3_000), true);
    assert.equal(check.isAlive(latest + 3_001), false);
  });
});

async function openSet(t: TestContext): Promise<{ set: TunnelSet; endpoint: string }> {
  const peer = await openTunnel({
    privateKey: formatKey(theirs.privateKey),
    addresses: ['10.9.0.2'],
    peers: [{ publicKey: formatKey(ours.publicKey), allowedIps: ['10.9.0.0/24'] }],
  });
  peer.createServer((socket) => socket.on('error', () => {}).pipe(socket)).listen(7);
  const set = new TunnelSet();
  t.after(async () => {
    await set.close();
    await peer.close();
  });
  return { set, endpoint: `127.0.0.1:${peer.status().listenPort}` };
}

async function follow(set: TunnelSet, text: string): Promise<void> {
  await (await set.prepare([tunnel(text)], NEVER)).commit();
}

function tunnel(text: string): ProxyTunnel {
  const document = parseConfig(text, 'home.conf');
  return { name: 'home', document, family: 'auto', checkAlive: [], checkAliveSeconds: 5 };
}

function configuration(endpoint: string): string {
  return `[Interface]
PrivateKey = ${formatKey(ours.privateKey)}
Address = 10.9.0.1
[Peer]
PublicKey = ${formatKey(theirs.publicKey)}
Endpoint = ${endpoint}
AllowedIPs = 10.9.0.0/24
`;
}

async function heard(socket: ReturnType<TunnelHost['connect']>, text: string): Promise<void> {
  await new Promise<void>((resolve) => socket.once('data', (chunk) => resolve(assert.equal(String(chunk), text))));
}
