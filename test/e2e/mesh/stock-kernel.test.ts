/**
 * The WireGuard of the Linux kernel as a stock node, in a virtual machine, with a file of `wiretype mesh add-device`.
 *
 * ```text
 *   guest (Debian's kernel)                     gate (a NAT that leads one port to the guest)
 *   10.77.0.2/24 eth0  ═════ tap ═════  10.77.0.1/24 ══ 203.0.113.40  ══╗
 *   wg0 by the file                                                     ╠══ 203.0.113.10  hub
 *   laptop  agent, behind an easy NAT  ═════════════════════════════════╝
 * ```
 *
 * Topology: mesh-lab.ts.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KernelGuest, whyNoGuest } from '../../lab/kernel-guest.js';
import { addAddresses } from '../../lab/lab.js';
import type { Host } from '../../lab/namespace.js';
import { waitFor } from '../../lab/wait.js';
import { countLost, HUB, HUB_PORT, type MeshLab, openMeshLab, waitForPath } from './mesh-lab.js';

const HUB_AT = `${HUB}:${HUB_PORT}`;
const GATE = '203.0.113.40';
const PORT = 51_820;
const NAME = 'kernel.home.internal';
/** How long the guest's `ping` waits for a first answer, in seconds. */
const PATIENCE = '-W 30';

test('the Linux kernel as a stock node', { timeout: 1_200_000, skip: whyNoGuest() ?? false }, async (t) => {
  const mesh = await openMeshLab(t, ['easy', 'easy']);
  const { laptop, invite, ask } = mesh;
  await laptop.join(await invite(), 'laptop');
  const agent = (await laptop.status()).addresses[0]!;
  const gate = await openGate(mesh);
  const guest = await KernelGuest.boot(gate, '10.77.0.1/24', '10.77.0.2/24');
  await guest.run('ip route add default via 10.77.0.1');

  await t.test('reaches an agent through the blind relay, and is reached by it, from behind a NAT', async () => {
    const address = await useFile(guest, await ask('add-device', 'hidden'));
    await guest.run(`ping -c 3 ${PATIENCE} ${agent}`);
    assert.equal(await laptop.pathTo('hidden'), 'relay');
    await guest.run(`ping -c 3 ${PATIENCE} -s 1300 ${agent}`);
    assert.equal(await countLost(laptop, address, 10), 0);
    const endpoints = (await guest.run('wg show wg0 endpoints')).trim().split(/\s+/);
    assert.deepEqual([endpoints[1], endpoints[3]], [HUB_AT, HUB_AT], 'one address for the hub and the agent');
  });

  await t.test('is reached directly where its port is open to all', async () => {
    await guest.run('ip link del wg0');
    const file = await ask('add-device', 'kernel', '--endpoint', `${GATE}:${PORT}`);
    const address = await useFile(guest, file);
    await waitFor('the name', async () => (await laptop.machine.attempt('getent', ['hosts', NAME])).status === 0);
    await guest.run(`ping -c 1 ${PATIENCE} ${agent}`);
    assert.equal(await countLost(laptop, address, 20), 0);
    await waitForPath(laptop, 'kernel', 'direct');
    assert.match(await guest.run('wg show wg0 endpoints'), /203\.0\.113\.101:/, 'the kernel has roamed to the agent');
    await guest.run(`ping -c 3 ${PATIENCE} ${agent}`);
  });
});

/** The NAT in front of the guest: masquerade, and one port that is led to it. */
async function openGate({ lab, hubHost }: MeshLab): Promise<Host> {
  const gate = await lab.host('gate');
  await lab.cable([gate, 'wan'], [hubHost, 'port3']);
  await hubHost.ip('link set port3 master br0');
  await addAddresses([gate, 'wan', `${GATE}/24`]);
  await gate.sysctl('net.ipv4.ip_forward', 1);
  await gate.nft(`table ip nat {
    chain pre { type nat hook prerouting priority dstnat; iifname wan udp dport ${PORT} dnat to 10.77.0.2; }
    chain post { type nat hook postrouting priority srcnat; oifname wan masquerade; }
  }`);
  return gate;
}

/** Does with stock `wg` and `ip` what wg-quick does with a file. @returns The address in the network. */
async function useFile(guest: KernelGuest, file: string): Promise<string> {
  const privateKey = /^PrivateKey = (\S+)$/m.exec(file)![1]!;
  const address = /^Address = ([\d.]+)/m.exec(file)![1]!;
  const mtu = /^MTU = (\d+)$/m.exec(file)![1]!;
  const settings = file.replace(/^(?:Address|DNS|MTU|PrivateKey|#).*\n/gm, '');
  const whole = settings.replace('[Interface]', `[Interface]\nPrivateKey = ${privateKey}\nListenPort = ${PORT}`);
  await guest.writeFile('/tmp/wg0.conf', whole);
  await guest.run('ip link add wg0 type wireguard');
  await guest.run('wg setconf wg0 /tmp/wg0.conf');
  await guest.run(`ip addr add ${address}/16 dev wg0`);
  await guest.run(`ip link set wg0 up mtu ${mtu}`);
  return address;
}
