/**
 * Interfaces of the kernel's own WireGuard, by netlink: our programs inside a virtual machine, beside the stock ones.
 *
 * ```text
 *   host                                          guest (Debian's kernel, Node, this checkout)
 *   guest0  10.77.0.1/24  ═════ tap ═════  10.77.0.2/24  eth0
 *   wg      10.66.0.1/24  ─ ─ tunnel ─ ─   10.66.0.2/24  wg0
 *   port    51820
 *   lo      198.51.100.7 ("the internet")
 * ```
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertFitsSchema } from '../cli/device/check-schema.js';
import { wiretype } from '../lab/implementation.js';
import { KernelGuest, whyNoGuest } from '../lab/kernel-guest.js';
import { generateKeyPair } from '../lab/keys.js';
import { addAddress, Lab } from '../lab/lab.js';
import { Wireguard } from '../lab/wireguard.js';

const INTERNET = '198.51.100.7';
const FILE = '/etc/wireguard/wg0.conf';
const PEERS = 1_000;
const PATIENCE = '-W 30';

/** The state that `down` must restore. */
const HOST_STATE =
  'for f in -4 -6; do ip $f rule; ip $f route show table all; done; ip -o addr show dev eth0; ls /sys/class/net; nft list ruleset; sysctl net.ipv4.conf.all.src_valid_mark; ls /run/wiretype 2>&1 | grep json; true';

test("interfaces of the kernel's own WireGuard", { timeout: 1_200_000, skip: whyNoGuest() ?? false }, async (t) => {
  const lab = Lab.open(t);
  const host = await lab.host('kernel-interfaces');
  const server = await Wireguard.create(lab, host, wiretype, 51820);
  const keys = generateKeyPair();
  await server.setPeer({ publicKey: keys.publicKey, allowedIps: '10.66.0.2/32' });
  await server.up(['10.66.0.1/24']);
  await addAddress(host, 'lo', `${INTERNET}/32`);
  const guest = await KernelGuest.boot(host, '10.77.0.1/24', '10.77.0.2/24', { hasCheckout: true });
  await guest.run('ip route add default via 10.77.0.1');
  /** Ours go before the stock programs. */
  const ours = async (command: string) => await guest.run(`export PATH=/opt/names:$PATH; ${command}`);

  await t.test('are shown and changed as by the stock wg, in every form', async () => {
    const golden = 'node --test --test-reporter=tap dist/test/cli/wg/live.test.js';
    const report = await guest.run(`cd /opt/wiretype; WIRETYPE_KERNEL_GUEST=1 ${golden}`, 400_000);
    assert.match(report, /^# pass [1-9]\d*\n# fail 0\n# cancelled 0\n# skipped 0$/m);
  });

  await t.test('are made and removed by wg-quick, with all traffic in the tunnel', async () => {
    const before = await guest.run(HOST_STATE);
    await guest.writeFile(FILE, fileWith(keys.privateKey, server.publicKey, '0.0.0.0/0, ::/0'));
    await guest.run(`chmod 600 ${FILE}`);

    const echo = await ours('wg-quick up wg0');

    assert.match(echo, /^\[#\] ip link add dev wg0 type wireguard$/m);
    await guest.run(`ping -c 2 ${PATIENCE} ${INTERNET}`);
    assert.match(await guest.run('/usr/bin/wg show wg0 transfer'), /\t[1-9]\d*\t[1-9]/);
    assert.match(await guest.run('nft list ruleset'), /wg-quick-wg0/);
    await ours('wg-quick down wg0');
    assert.equal(await guest.run(HOST_STATE), before);
  });

  await t.test('that one wg-quick has made, the other takes down', async () => {
    const before = await guest.run(HOST_STATE);
    for (const [up, down] of [
      ['/usr/bin', '/opt/names'],
      ['/opt/names', '/usr/bin'],
    ]) {
      await guest.run(`${up}/wg-quick up wg0`);
      await guest.run(`ping -c 1 ${PATIENCE} ${INTERNET}`);
      await guest.run(`${down}/wg-quick down wg0`);
      await guest.run(CLEAR_UP);
      assert.equal(await guest.run(HOST_STATE), before);
    }
  });

  await t.test('are made by wiretype up where it is told to, and explained, watched, reloaded, saved', async () => {
    await guest.writeFile(FILE, fileWith(keys.privateKey, server.publicKey, '10.66.0.0/24'));
    await ours('wiretype up --implementation kernel wg0');
    await guest.run(`ping -c 1 ${PATIENCE} 10.66.0.1`);

    const advice = JSON.parse(await ours('wiretype explain --json wg0'));
    assertFitsSchema(advice, 'explain.json');
    assert.equal(advice.isKernels, true);
    assert.deepEqual([advice.peers[0].hasSession, advice.peers[0].reason], [true, 'There is a session.']);
    assert.match(advice.notAvailable[0].what, /counts of dropped packets/);
    const [look] = (await ours('wiretype watch wg0 --count 1 --json')).trim().split('\n');
    assert.equal(JSON.parse(look!).peers[0].droppedPackets, null);

    await guest.run(`sed -i s,10.66.0.0/24,10.66.0.0/25, ${FILE}`);
    assert.match(await ours('wiretype reload wg0'), /allowed IPs 10\.66\.0\.0\/25/);
    assert.match(await guest.run('/usr/bin/wg show wg0 allowed-ips'), /\t10\.66\.0\.0\/25\n/);
    await guest.run(`ping -c 1 ${PATIENCE} 10.66.0.1`);
    await ours('wiretype set wg0 listen-port 51999; wiretype save wg0');
    assert.match(await guest.run(`cat ${FILE}`), /^ListenPort = 51999$/m);
  });

  await t.test('get peers by name: add-peer, list-peers, remove-peer', async () => {
    await ours('wiretype add-peer wg0 phone --endpoint vpn.example:51820 > /dev/null');
    assert.match(await ours('wiretype list-peers wg0'), /^phone /m);
    assert.equal((await guest.run('/usr/bin/wg show wg0 peers')).trim().split('\n').length, 2);
    await ours('wiretype remove-peer wg0 phone');
    assert.equal((await guest.run('/usr/bin/wg show wg0 peers')).trim(), server.publicKey);
  });

  await t.test('lose single allowed IPs, on kernels that can only replace them as well', async () => {
    await ours(`wg set wg0 peer ${server.publicKey} allowed-ips -10.66.0.0/25,+10.66.0.1/32`);
    assert.equal(await guest.run('/usr/bin/wg show wg0 allowed-ips'), `${server.publicKey}\t10.66.0.1/32\n`);
  });

  await t.test('are unchanged after a refusal, which is in words', async () => {
    await guest.run('ip link add wg2 type wireguard; wg set wg2 listen-port 5555; ip link set wg2 up');
    const refused = await guest.attempt('/opt/names/wiretype set wg0 listen-port 5555 fwmark 9');
    assert.equal(refused.status, 1);
    assert.match(refused.stdout, /wg0: its port is in use/);
    assert.equal(await guest.run('/usr/bin/wg show wg0 fwmark'), 'off\n');
    const { stdout } = await guest.attempt('WIRETYPE_NO_ADDON=1 /opt/names/wiretype show wg0');
    assert.match(
      stdout,
      /^wiretype show: Interfaces of the kernel's own WireGuard cannot be reached\. The native addon/,
    );
    await ours('wiretype down wg0');
    assert.equal(await ours('wiretype show interfaces'), 'wg2\n');
  });

  await t.test('hold 1,000 peers and one of 3,000 allowed IPs: each reads what the other wrote', async () => {
    await guest.run(`node -e "${GENERATE}" > /tmp/many.conf`);
    for (const [write, read] of [
      ['/opt/names', '/usr/bin'],
      ['/usr/bin', '/opt/names'],
    ]) {
      await guest.run(`${write}/wg setconf wg2 /tmp/many.conf`);
      const counts = (await guest.run(`${read}/wg show wg2 allowed-ips | wc -lw`)).trim().split(/\s+/);
      assert.deepEqual(counts.map(Number), [PEERS + 1, WORDS]);
      await guest.run(`/usr/bin/wg showconf wg2 > /tmp/a; /opt/names/wg showconf wg2 > /tmp/b; cmp /tmp/a /tmp/b`);
    }
  });
});

/** The stock program leaves the setting at 1, and what it does not know of: our record, and a route that is refused to in our table. */
const CLEAR_UP =
  'sysctl -q net.ipv4.conf.all.src_valid_mark=0; rm -f /run/wiretype/*/*.json; ip route flush table 51820; ip -6 route delete unreachable default table 51820 metric 4294967295; true';

/** Lines of a file, in the guest: a key and one allowed IP for each peer, and 3,000 for the last. */
const GENERATE = [
  'const key = (i) => Buffer.alloc(32, 1).fill(i >> 8, 30).fill(i & 255, 31).toString(`base64`);',
  'const peer = (i, ips) => [`[Peer]`, `PublicKey = ` + key(i), `PresharedKey = ` + key(i + 1), `AllowedIPs = ` + ips];',
  `const many = Array.from({ length: ${PEERS} }, (_, i) => peer(i, '10.' + (i >> 8) + '.' + (i & 255) + '.0/24'));`,
  "const ips = Array.from({ length: 3000 }, (_, i) => '11.' + (i >> 8) + '.' + (i & 255) + '.0/24');",
  "console.log([`[Interface]`, `PrivateKey = ` + key(9999), ...many, peer(5000, ips.join(', '))].flat().join(`\\n`));",
]
  .join(' ')
  .replaceAll('`', '\\`');

/** Each line has a key; each peer an allowed IP, the last one 3,000. */
const WORDS = PEERS + 1 + PEERS + 3_000;

function fileWith(privateKey: string, publicKey: string, allowedIps: string): string {
  return [
    '[Interface]',
    `PrivateKey = ${privateKey}`,
    'Address = 10.66.0.2/24',
    '[Peer]',
    `PublicKey = ${publicKey}`,
    'Endpoint = 10.77.0.1:51820',
    `AllowedIPs = ${allowedIps}`,
    '',
  ].join('\n');
}
