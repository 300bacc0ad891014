/**
 * `wiretype explain` against faults that are really there.
 *
 * Topology: test/lab/quick-client.ts.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { assertFitsSchema } from '../cli/device/check-schema.js';
import { subject, wireguardGo } from '../lab/implementation.js';
import { generateKeyPair, generatePresharedKey } from '../lab/keys.js';
import { clientConfig, openQuickClient, type QuickClient } from '../lab/quick-client.js';
import { assertPings, ping } from '../lab/traffic.js';
import { waitFor } from '../lab/wait.js';

interface Explanation {
  readonly isUp: boolean;
  readonly advice: readonly { readonly problem: string; readonly nextStep: string }[];
  readonly peers: readonly {
    readonly publicKey: string;
    readonly name: string | null;
    readonly hasSession: boolean;
    readonly reason: string;
    readonly advice: Explanation['advice'];
  }[];
}

describe('explain', { concurrency: 2 }, () => {
  it('has no advice where all is well', { timeout: 240_000 }, async (t) => {
    const setting = await upWith(t, { peer: ['AllowedIPs = 10.66.0.0/24'] });
    await assertPings(setting.client.host, '10.66.0.1');

    const { advice, peers } = await explain(setting);

    assert.deepEqual([advice, peers[0]?.advice, peers[0]?.hasSession], [[], [], true]);
    assert.equal(peers[0]?.reason, 'There is a session.');
    const text = await setting.client.wiretype('explain', 'wg0');
    assert.match(text.stdout, /^wg0: link up, UDP port \d+\n\npeer \S+=\n {2}There is a session\.\n$/);
  });

  it('finds a port where nothing listens, and then a route that is missing', { timeout: 240_000 }, async (t) => {
    const setting = await upWith(t, { peer: ['AllowedIPs = 10.66.0.0/24'] });
    const { client, serverWireguard } = setting;
    await serverWireguard.set('listen-port', '51999');
    await ping(client.host, '10.66.0.1');

    const refused = await explainUntil(setting, /203\.0\.113\.1 answers that nothing listens on UDP port 51820/);
    await client.host.ip('route del default');
    await client.host.ip('addr flush dev eth0');
    const unrouted = await explain(setting);

    assert.match(refused.peers[0]!.reason, /^A handshake has just been started|^No answer for/);
    assert.match(problems(unrouted), /There is no route to 203\.0\.113\.1/);
  });

  it('finds keys that do not fit, from what the daemon knows', { timeout: 240_000 }, async (t) => {
    const setting = await upWith(t, {
      peer: ['AllowedIPs = 10.66.0.0/24', `PresharedKey = ${generatePresharedKey()}`],
    });
    await ping(setting.client.host, '10.66.0.1');

    await waitFor('the answer with a wrong key', async () =>
      /The peer answers, but with a wrong key: compare the preshared key/.test(
        (await explain(setting)).peers[0]!.reason,
      ),
    );
  });

  it('finds packet filters that are in the way, out and in', { timeout: 240_000 }, async (t) => {
    const setting = await upWith(t, { interface: ['ListenPort = 51820'], peer: ['AllowedIPs = 10.66.0.0/24'] });
    const { client } = setting;
    const filter = `table inet f {
      chain in { type filter hook input priority 0; policy drop; iifname "lo" accept; ct state established accept; tcp dport 51820 accept; }
      chain out { type filter hook output priority 0; udp dport 51820 drop; }
    }`;
    await client.run('nft', ['-f', '-'], { input: filter });

    const closed = await explain(setting);
    await client.run('nft', closed.advice[0]!.nextStep.split(' ').slice(1));
    await client.run('nft', ['flush', 'chain', 'inet', 'f', 'out']);
    await client.run('nft', ['insert', 'rule', 'inet', 'f', 'out', 'udp', 'dport', '{ 500, 51820-51830 }', 'accept']);
    const open = await explain(setting);

    assert.match(
      closed.advice[0]!.problem,
      /\(inet f in\) drops packets by default, and no rule lets UDP port 51820 in/,
    );
    assert.match(problems(closed), /keeps datagrams to 203\.0\.113\.1 from leaving/);
    assert.deepEqual(open.advice, [], 'after the next step');
    assert.doesNotMatch(problems(open), /filter/);
  });

  it('finds traffic that does not come to the tunnel, or to no peer', { timeout: 240_000 }, async (t) => {
    const setting = await upWith(t, { peer: ['AllowedIPs = 10.66.0.0/24, 10.99.0.0/16'] });
    const { client } = setting;
    await client.host.ip('route del 10.99.0.0/16');
    await client.host.ip('route add 10.77.0.0/16 dev wg0');
    await client.attempt('ping', ['-c', '40', '-i', '0.002', '-W', '1', '10.77.0.1']);

    const said = await explainUntil(setting, /Packets to 10\.99\.0\.0\/16 leave by eth0, not by wg0/);

    if (subject !== wireguardGo)
      assert.match(said.advice[0]!.problem, /^[4-9]\d packets for wg0 had a destination that no peer/);
  });

  it('finds a link that is down, an endpoint inside the tunnel, and a name that has moved', {
    timeout: 240_000,
  }, async (t) => {
    const setting = await upWith(t, { peer: ['# the office', 'AllowedIPs = 10.66.0.0/24'] });
    const { client } = setting;
    await client.write('/etc/nsswitch.conf', 'hosts: files\n', '644');
    await client.write('/etc/hosts', '203.0.113.9 vpn.example.com\n', '644');
    const text = (await client.read('/etc/wireguard/wg0.conf')).replace('203.0.113.1:', 'vpn.example.com:');
    await client.write('/etc/wireguard/wg0.conf', text.replace('# the office', '# Name = office'));

    assert.match(
      problems(await explain(setting, 'office')),
      /vpn\.example\.com resolves to 203\.0\.113\.9; .*203\.0\.113\.1/,
    );
    await client.host.ip('route add 203.0.113.1 dev wg0');
    assert.match(problems(await explain(setting)), /The way to 203\.0\.113\.1 leads into the tunnel itself/);
    await client.host.ip('link set wg0 down');
    const down = await explain(setting, setting.serverWireguard.publicKey.slice(0, 6));
    assert.equal(down.isUp, false);
    assert.deepEqual(down.advice[0], { problem: 'The link is down.', nextStep: 'ip link set wg0 up' });
    assert.equal(down.peers[0]!.name, 'office');

    const stranger = await client.wiretype('explain', 'wg0', generateKeyPair().publicKey);
    assert.equal(stranger.status, 2);
    const gone = await client.wiretype('explain', 'wg9');
    assert.match(gone.stderr, /ERR_CONTROL_UNREACHABLE/);
  });

  it('says what can be seen from outside of a daemon that gives no reasons', { timeout: 240_000 }, async (t) => {
    const setting = await upWith(t, { peer: ['AllowedIPs = 10.66.0.0/24'] }, wireguardGo.command);
    const { client, serverWireguard } = setting;
    const idle = await explain(setting);
    await serverWireguard.set('listen-port', '51999');
    await ping(client.host, '10.66.0.1');
    const silent = await explainUntil(setting, /nothing listens on UDP port 51820/);

    assert.match(idle.peers[0]!.reason, /There was nothing to send yet/);
    assert.match(silent.peers[0]!.reason, /Nothing has come from the peer/);
  });
});

async function upWith(
  t: Parameters<typeof openQuickClient>[0],
  lines: NonNullable<Parameters<typeof clientConfig>[1]>,
  implementation = subject.command,
): Promise<QuickClient> {
  const setting = await openQuickClient(t);
  const { client } = setting;
  const ofInterface = ['Address = 10.66.0.2/24', ...(lines.interface ?? [])];
  await client.write('/etc/wireguard/wg0.conf', clientConfig(setting, { ...lines, interface: ofInterface }));
  const { status, stderr } = await client.wiretype('up', '--implementation', implementation, 'wg0');
  assert.equal(status, 0, stderr);
  await waitFor('the link', async () => /state UNKNOWN/.test(await client.host.ip('link show wg0')));
  return setting;
}

async function explain({ client }: QuickClient, ...peer: string[]): Promise<Explanation> {
  const { status, stdout, stderr } = await client.wiretype('explain', '--json', 'wg0', ...peer);
  assert.deepEqual([status, stderr], [0, '']);
  const said = JSON.parse(stdout) as Explanation;
  assertFitsSchema(said, 'explain.json');
  return said;
}

/** Polls until an answer has such a problem: the explanation follows its cause after a moment. */
async function explainUntil(setting: QuickClient, problem: RegExp): Promise<Explanation> {
  return await waitFor(`an explanation with ${problem}`, async () => {
    const said = await explain(setting);
    return problem.test(problems(said)) ? said : undefined;
  });
}

function problems({ peers }: Explanation): string {
  return peers.flatMap(({ advice }) => advice.map(({ problem }) => problem)).join('\n');
}
