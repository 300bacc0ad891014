/**
 * The WireGuard of the Linux kernel as a peer, in a virtual machine.
 *
 * ```text
 *   host                                          guest (Debian's kernel)
 *   guest0  10.77.0.1/24  ═════ tap ═════  10.77.0.2/24  eth0
 *   wg      10.78.0.1/24  ─ ─ tunnel ─ ─   10.78.0.2/24  wg0
 *           fd78::1/64                     fd78::2/64
 *   port    51820                                  51821
 * ```
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { subject } from '../lab/implementation.js';
import { KernelGuest, whyNoGuest } from '../lab/kernel-guest.js';
import { generateKeyPair, generatePresharedKey } from '../lab/keys.js';
import { Lab } from '../lab/lab.js';
import type { Host } from '../lab/namespace.js';
import { assertPings } from '../lab/traffic.js';
import { waitFor } from '../lab/wait.js';
import { Wireguard } from '../lab/wireguard.js';

const OWN = '10.78.0.1';
const OWN6 = 'fd78::1';
const KERNEL = '10.78.0.2';
const KERNEL6 = 'fd78::2';
const STREAM_BYTES = 1_000_000;
/** How long the guest's `ping` waits for a first answer, in seconds. */
const PATIENCE = '-W 30';

/** Both ends of the tunnel. */
interface Ends {
  readonly host: Host;
  readonly guest: KernelGuest;
  readonly wireguard: Wireguard;
}

test('the Linux kernel as a peer', { timeout: 1_200_000, skip: whyNoGuest() ?? false }, async (t) => {
  const ends = await openTunnelToKernel(Lab.open(t));
  const { host, guest, wireguard } = ends;

  await t.test('initiates, over IPv4', async () => {
    await guest.run(`ping -c 3 ${PATIENCE} ${OWN}`);
  });

  await t.test('speaks IPv6 inside', async () => {
    await guest.run(`ping -c 3 ${PATIENCE} ${OWN6}`);
    await assertPings(host, KERNEL6);
  });

  await t.test('exchanges packets of the full MTU', async () => {
    await guest.run(`ping -c 3 ${PATIENCE} -s 1392 ${OWN}`);
    await assertPings(host, KERNEL, { size: 1_392 });
  });

  await t.test('sends a TCP stream', async () => {
    await streamFromGuest(ends);
  });

  await t.test('receives a TCP stream', async () => {
    await streamFromGuest(ends, '-R');
  });

  await t.test('gets a new session at once when it forgot its own', async () => {
    await guest.run('ip link set wg0 down');
    await guest.run('ip link set wg0 up');
    await guest.run(`ping -c 3 ${PATIENCE} ${OWN}`);
  });

  await t.test('is followed to another port', async () => {
    await guest.run('wg set wg0 listen-port 51999');
    await guest.run(`ping -c 3 ${PATIENCE} ${OWN}`);
    assert.equal((await wireguard.peer()).endpoint, '10.77.0.2:51999');
    await assertPings(host, KERNEL);
  });

  // By its path: the guest's shell has a lesser tc built in.
  await guest.run('/bin/tc qdisc add dev eth0 root netem delay 5ms 3ms loss 5% duplicate 5% reorder 20%');

  await t.test('sends a TCP stream through loss, duplicates and disorder', async () => {
    await streamFromGuest(ends);
  });

  await t.test('sends pings through loss, duplicates and disorder', async () => {
    // Its exit status says whether any was answered.
    await guest.run(`ping -c 10 ${PATIENCE} ${OWN}`);
  });

  await guest.run('/bin/tc qdisc del dev eth0 root');

  await t.test('is initiated to when it knows no endpoint', async () => {
    await guest.run(`wg set wg0 peer ${wireguard.publicKey} remove`);
    await guest.run(`wg set wg0 ${peerWords(wireguard)}`);

    const traffic = host.start('ping', ['-q', '-i', '0.5', KERNEL]);
    const hasHandshake = async (): Promise<boolean> => !/\t0$/m.test(await guest.run('wg show wg0 latest-handshakes'));
    await waitFor('the kernel to accept the handshake', hasHandshake);
    await traffic.stop();

    await assertPings(host, KERNEL);
    assert.match(await guest.run('wg show wg0 endpoints'), /10\.77\.0\.1:51820/);
  });
});

async function openTunnelToKernel(lab: Lab): Promise<Ends> {
  const host = await lab.host('kernel-peer');
  const wireguard = await Wireguard.create(lab, host, subject, 51820);
  const kernelKeys = generateKeyPair();
  const presharedKey = generatePresharedKey();
  const allowedIps = `${KERNEL}/32,${KERNEL6}/128`;
  await wireguard.setPeer({ publicKey: kernelKeys.publicKey, presharedKey, allowedIps });
  await wireguard.up([`${OWN}/24`, `${OWN6}/64`]);

  const guest = await KernelGuest.boot(host, '10.77.0.1/24', '10.77.0.2/24');
  await guest.writeSecret('/tmp/private', kernelKeys.privateKey);
  await guest.writeSecret('/tmp/preshared', presharedKey);
  await guest.run('ip link add wg0 type wireguard');
  await guest.run('wg set wg0 private-key /tmp/private listen-port 51821');
  await guest.run(`wg set wg0 ${peerWords(wireguard)} endpoint 10.77.0.1:51820`);
  for (const address of [`${KERNEL}/24`, `${KERNEL6}/64`]) await guest.run(`ip addr add ${address} dev wg0`);
  await guest.run('ip link set wg0 up');
  return { host, guest, wireguard };
}

/** iperf3 ends when all is sent: what its small buffers hold may not have arrived by then. */
async function streamFromGuest({ host, guest }: Ends, words = ''): Promise<void> {
  const server = host.start('iperf3', ['-s', '-1', '-B', OWN, '--forceflush']);
  await server.says(/Server listening/);
  const report = JSON.parse(await guest.run(`iperf3 --json -n ${STREAM_BYTES} -w 64K -c ${OWN} ${words}`));
  await server.exited;
  assert.ok(report.end.sum_received.bytes > STREAM_BYTES / 2, `${report.end.sum_received.bytes} bytes`);
}

function peerWords({ publicKey }: Wireguard): string {
  return `peer ${publicKey} preshared-key /tmp/preshared allowed-ips ${OWN}/32,${OWN6}/128`;
}
