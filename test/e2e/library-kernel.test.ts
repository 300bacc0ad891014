/**
 * The library and the Linux kernel's own WireGuard and TCP, in a virtual machine, on a path with delay, jitter and loss.
 *
 * ```text
 *   host                                          guest (Debian's kernel)
 *   guest0  10.77.0.1/24  ═════ tap ═════  10.77.0.2/24  eth0
 *   program 10.78.0.1     ─ ─ tunnel ─ ─   10.78.0.2/24  wg0
 * ```
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { CHECKOUT } from '../lab/implementation.js';
import { KernelGuest, whyNoGuest } from '../lab/kernel-guest.js';
import { generateKeyPair } from '../lab/keys.js';
import { Lab } from '../lab/lab.js';

const LIBRARY = `${CHECKOUT}dist/test/lab/library-peer.js`;
const NO_RIGHTS = ['--bounding-set=-all', '--inh-caps=-all'];
const OWN = '10.78.0.1';
const KERNEL = '10.78.0.2';
const BYTES = 1_000_000;

test('the library, and the Linux kernel at the other end', {
  timeout: 1_200_000,
  skip: whyNoGuest() ?? false,
}, async (t) => {
  const lab = Lab.open(t);
  const host = await lab.host('library-kernel');
  const guest = await KernelGuest.boot(host, '10.77.0.1/24', '10.77.0.2/24');
  const [own, kernel] = [generateKeyPair(), generateKeyPair()];
  await guest.writeSecret('/tmp/private', kernel.privateKey);
  await guest.run('ip link add wg0 type wireguard');
  await guest.run(`wg set wg0 private-key /tmp/private listen-port 51821 peer ${own.publicKey} allowed-ips ${OWN}/32`);
  await guest.run(`ip addr add ${KERNEL}/24 dev wg0`);
  await guest.run('ip link set wg0 up');
  const config = join(lab.folder, 'library.conf');
  writeFileSync(config, configuration(own.privateKey, kernel.publicKey));
  const program = host.start('setpriv', [...NO_RIGHTS, process.execPath, LIBRARY, config, KERNEL], {
    isInteractive: true,
  });
  await program.says(/"ready"/);

  await t.test('exchange data without loss', async () => await exchange(guest));

  // By its path: the guest's shell has a lesser tc built in.
  await guest.run('/bin/tc qdisc add dev eth0 root netem delay 25ms 5ms loss 2% duplicate 1% reorder 5%');

  await t.test('exchange data through delay, jitter, loss, duplicates and disorder', async () => await exchange(guest));

  assert.equal(program.stderr, '');
});

/** The guest sends back what it got: its `wget` posts text only. The end of a command's output begins a line. */
async function exchange(guest: KernelGuest): Promise<void> {
  const hash = createHash('sha256').update(Buffer.alloc(BYTES, 'wiretype')).digest('hex');
  await guest.run(`wget -q -O /tmp/data http://${OWN}/${BYTES}`);
  assert.match(await guest.run('sha256sum /tmp/data'), new RegExp(hash));
  assert.match(await guest.run(`wget -q -O - --post-file=/tmp/data http://${OWN}/ && echo`), new RegExp(hash));
}

function configuration(privateKey: string, publicKey: string): string {
  return `[Interface]
PrivateKey = ${privateKey}
Address = ${OWN}/24
[Peer]
PublicKey = ${publicKey}
Endpoint = 10.77.0.2:51821
AllowedIPs = ${KERNEL}/32
PersistentKeepalive = 25
`;
}
