/**
 * The library against TCP of the Linux kernel: a program without any right has a host of its own inside the tunnel.
 *
 * Topology: `test/lab/two-hosts.ts`. The left host has a daemon and an interface, the right one only the program.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { CHECKOUT, type Implementation, subject, wireguardGo } from '../lab/implementation.js';
import { generateKeyPair } from '../lab/keys.js';
import { loseDatagrams } from '../lab/lab.js';
import { connectTwoHosts, LEFT, PORT, RIGHT } from '../lab/two-hosts.js';
import { waitFor } from '../lab/wait.js';
import { Wireguard } from '../lab/wireguard.js';

const PROGRAM = `${CHECKOUT}dist/test/lab/library-program.js`;
const NO_RIGHTS = ['--bounding-set=-all', '--inh-caps=-all'];

interface Setting {
  readonly behind: Implementation;
  readonly hasAddon?: boolean;
  readonly family?: 4 | 6;
  readonly lossPercent?: number;
  readonly bytes?: number;
}

describe('a program with a host of its own', { concurrency: 2 }, () => {
  const settings: readonly (readonly [string, Setting])[] = [
    ['talks to the kernel behind our daemon', { behind: subject, bytes: 20_000_000 }],
    ['talks to the kernel behind wireguard-go, over IPv6', { behind: wireguardGo, family: 6 }],
    ['needs no addon', { behind: subject, hasAddon: false }],
    [
      'loses nothing where 5 % of the datagrams are lost each way',
      { behind: subject, lossPercent: 5, bytes: 1_000_000 },
    ],
  ];
  for (const [title, setting] of settings)
    it(title, { timeout: 240_000 }, async (t) => {
      await tryLibrary(t, setting);
    });
});

async function tryLibrary(
  t: Parameters<typeof connectTwoHosts>[0],
  { behind, hasAddon = true, family = 4, lossPercent = 0, bytes = 4_000_000 }: Setting,
): Promise<void> {
  const { lab, left, right } = await connectTwoHosts(t);
  const daemon = await Wireguard.create(lab, left, behind, PORT);
  const keys = generateKeyPair();
  await daemon.setPeer({ publicKey: keys.publicKey, allowedIps: `${RIGHT.inner4}/32,${RIGHT.inner6}/128` });
  await daemon.up([`${LEFT.inner4}/24`, `${LEFT.inner6}/64`]);
  const data = randomBytes(bytes);
  const file = join(lab.folder, 'download');
  writeFileSync(file, data);
  const [listen, to] = family === 4 ? ['TCP4-LISTEN', LEFT.inner4] : ['TCP6-LISTEN', LEFT.inner6];
  left.start('socat', [`${listen}:9000,reuseaddr`, 'SYSTEM:sha256sum | cut -c1-64']);
  left.start('socat', ['-u', `OPEN:${file},rdonly`, `${listen}:9001,reuseaddr`]);
  for (const port of [9000, 9001])
    await waitFor(`port ${port}`, async () => (await left.run('ss', ['-Hltn', `sport = ${port}`])) !== '');
  if (lossPercent > 0) for (const host of [left, right]) await loseDatagrams(host, lossPercent);

  const program = right.start('setpriv', [...NO_RIGHTS, process.execPath, PROGRAM], {
    input: JSON.stringify({ config: configuration(keys.privateKey, daemon.publicKey), target: to, bytes }),
    env: { WIRETYPE_NO_ADDON: hasAddon ? '0' : '1' },
  });
  await waitFor('the result', () => program.stdout.includes('\n') || program.exitStatus !== undefined, 180_000);

  assert.equal(program.stderr, '');
  assert.deepEqual(JSON.parse(program.stdout), {
    isPingAnswered: true,
    isUploadWhole: true,
    hashOfDownload: createHash('sha256').update(data).digest('hex'),
    refused: 'ECONNREFUSED',
  });
  const inside = family === 4 ? `TCP4:${RIGHT.inner4}:8080` : `TCP6:[${RIGHT.inner6}]:8080`;
  assert.equal(await left.run('socat', ['-u', inside, '-']), 'from inside');
  assert.equal(await program.exited, 0);
}

function configuration(privateKey: string, publicKey: string): string {
  return `[Interface]
PrivateKey = ${privateKey}
Address = ${RIGHT.inner4}/24, ${RIGHT.inner6}/64
[Peer]
PublicKey = ${publicKey}
Endpoint = ${LEFT.outer4}:${PORT}
AllowedIPs = ${LEFT.inner4}/24, fd00:bb::/64
`;
}
