/** docs/guides/full-tunnel.md, word for word. Topology: in the guide, and test/lab/internet.ts. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Capture, type SeenPacket } from '../../lab/capture.js';
import { furnish, Guide } from '../../lab/guide.js';
import { Internet, KNOWN_SERVER, lookUpName, PUBLIC_ADDRESSES, seenAddress } from '../../lab/internet.js';
import { Lab } from '../../lab/lab.js';
import { Machine } from '../../lab/machine.js';
import { hostState } from '../../lab/quick-client.js';
import { assertNoPing } from '../../lab/traffic.js';
import { waitFor } from '../../lab/wait.js';

const [SERVER, LAPTOP] = PUBLIC_ADDRESSES;
const PORT = 51820;

describe('docs/guides/full-tunnel.md', () => {
  it('sends everything through the server, nothing beside it, and leaves no trace', { timeout: 240_000 }, async (t) => {
    const { lab, server, laptop, guide } = await openSetting(t);
    await guide.follow('The server');
    await guide.follow("The laptop's file");
    const before = await hostState(laptop);
    assert.equal(await seenAddress(laptop, 4), LAPTOP[4]);
    // Begun in the clear, it goes on through the tunnel.
    const ping = laptop.start('ping', ['-i', '0.2', KNOWN_SERVER[4]]);
    await ping.says(/bytes from/);

    await guide.follow('Up');
    const onWire = await Capture.start(lab, laptop.host, 'eth0');
    assert.equal(await seenAddress(laptop, 4), SERVER[4]);
    assert.equal(await seenAddress(laptop, 6), SERVER[6]);
    assert.match(await lookUpName(laptop), new RegExp(`^${KNOWN_SERVER[4]} `));
    await takeServerDown(server);
    await assertNoPing(laptop.host, KNOWN_SERVER[4]);
    const seen = await onWire.stop();
    assert.match(await laptop.read('/etc/wireguard/wg0.conf'), /^PersistentKeepalive = 25$/m);
    assert.match(await laptop.read('/etc/resolv.conf'), /^nameserver 9\.9\.9\.9$/m);

    await guide.follow('Down');
    guide.assertFollowed();
    await ping.stop('SIGINT');
    assert.ok(seen.some(isTunnel), 'the capture saw the tunnel');
    assert.deepEqual(seen.filter((packet) => !isTunnel(packet) && !isNeighbourTalk(packet)).map(describePacket), []);
    await waitFor('the daemon to end', async () => (await laptop.run('ls', ['/run/wireguard'])) === '');
    assert.equal(await hostState(laptop), before);
    assert.equal(await seenAddress(laptop, 4), LAPTOP[4]);
  });
});

async function openSetting(t: Parameters<typeof Lab.open>[0]) {
  const lab = Lab.open(t);
  const internet = await Internet.open(lab);
  const [server, laptop] = [await Machine.create(lab, 'server'), await Machine.create(lab, 'laptop')];
  await internet.connect(server.host);
  await internet.connect(laptop.host);
  const machines = { server, laptop };
  await furnish(machines, [{ name: 'vpn.example.net', machine: server, address: SERVER[4] }]);
  await laptop.run('rmdir', ['/etc/wireguard']);
  await server.run('rmdir', ['/etc/wireguard']);
  await server.run('sysctl', ['-q', '-w', 'net.ipv4.ip_forward=0']); // a new namespace may begin with that of the host
  return { lab, server, laptop, guide: new Guide('full-tunnel', machines) };
}

/** The masquerade comes and goes with the interface. */
async function takeServerDown(server: Machine): Promise<void> {
  assert.match(await packetFilter(server), /masquerade/i);
  assert.equal(await server.run('sysctl', ['-n', 'net.ipv4.ip_forward']), '1\n');
  assert.equal((await server.wiretype('down', 'wg0')).status, 0);
  assert.equal(await packetFilter(server), '');
  assert.equal(await server.run('sysctl', ['-n', 'net.ipv4.ip_forward']), '0\n');
}

/** Datagrams of the server are no leak, whether WireGuard or ICMP errors. */
function isTunnel({ source, destination, udp }: SeenPacket): boolean {
  return source === SERVER[4] || (destination === SERVER[4] && udp?.destinationPort === PORT);
}

/** Neighbour discovery and multicast listener reports: they stay on the cable (RFC 4861 §4, RFC 3810 §5). ARP is no IP. */
function isNeighbourTalk({ family, source, destination, bytes }: SeenPacket): boolean {
  const isOnCable = /^(?:fe80|ff02|20010db80002)/.test(destination) && /^(?:fe80|0{32}|20010db80002)/.test(source);
  const nextHeader = bytes[6] === 0 ? bytes[40] : bytes[6];
  return family === 6 && isOnCable && nextHeader === 58;
}

function describePacket({ source, destination, bytes }: SeenPacket): string {
  return `${source} > ${destination}: ${bytes.toString('hex')}`;
}

/** The rules of iptables, without the empty chains that it makes on first use. */
async function packetFilter(machine: Machine): Promise<string> {
  return await machine.run('bash', [
    '-c',
    '(iptables-save; ip6tables-save) | grep ^-A; nft list ruleset | grep wiretype; nft list ruleset | grep masquerade; true',
  ]);
}
