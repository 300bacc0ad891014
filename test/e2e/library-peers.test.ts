/**
 * The library against programs on TCP of the Linux kernel, behind our daemon and behind wireguard-go.
 *
 * Topology: `test/lab/two-hosts.ts`. The left host has a daemon and an interface, the right one only the program.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';

import { CHECKOUT, type Implementation, subject, wireguardGo } from '../lab/implementation.js';
import { generateKeyPair } from '../lab/keys.js';
import { addAddress, Lab, loseDatagrams, uniqueInterfaceName } from '../lab/lab.js';
import type { Host } from '../lab/namespace.js';
import type { Program } from '../lab/program.js';
import { connectTwoHosts, LEFT, PORT, RIGHT } from '../lab/two-hosts.js';
import { waitFor } from '../lab/wait.js';
import { Wireguard } from '../lab/wireguard.js';

const LIBRARY = `${CHECKOUT}dist/test/lab/library-peer.js`;
const KERNEL = `${CHECKOUT}dist/test/lab/kernel-peer-program.js`;
const STACK_ON_TUN = `${CHECKOUT}dist/test/lab/stack-on-tun.js`;
const NO_RIGHTS = ['--bounding-set=-all', '--inh-caps=-all'];
const WEB = `http://${RIGHT.inner4}`;

interface Setting {
  readonly behind: Implementation;
  readonly hasAddon?: boolean;
  readonly mtu?: number;
  /** The MTU in the configuration of the program. */
  readonly ownMtu?: number;
  readonly lossPercent?: number;
  readonly sysctls?: readonly string[];
}

interface Ends {
  readonly kernel: Host;
  readonly beside: Host;
  readonly daemon: Wireguard;
  readonly program: Program;
  /** The kernel side of the tests, as a program. */
  readonly services: Program;
  readonly folder: string;
  /** Has the program do something. @returns What came of it. */
  readonly ask: (command: string) => Promise<unknown>;
}

describe('the library, and a kernel host', { concurrency: 2 }, () => {
  it('that vanishes: an attempt to connect ends with ETIMEDOUT after 131 s', { timeout: 300_000 }, async (t) => {
    const { daemon, ask } = await connectEnds(t, { behind: subject });
    assert.equal(await ask('reset 7000'), 'done');
    await daemon.daemon!.stop('SIGKILL');
    assert.equal(await ask('connect 7000'), 'connect ETIMEDOUT');
  });

  it('on a TUN interface, without WireGuard between them', { timeout: 120_000 }, async (t) => {
    const lab = Lab.open(t);
    const kernel = await lab.host('tun');
    const name = uniqueInterfaceName();
    await kernel.start(process.execPath, [STACK_ON_TUN, name, RIGHT.inner4]).says(/ready/);
    await addAddress(kernel, name, `${LEFT.inner4}/24`);
    await kernel.ip(`link set ${name} up`);
    const [input, hash] = ['x'.repeat(10_000_000), hashOf('x'.repeat(10_000_000))];
    assert.equal(await kernel.run('socat', ['-t', '60', '-', `TCP:${RIGHT.inner4}:9001`], { input }), hash);
    const download = await kernel.run('bash', ['-c', `socat -u TCP:${RIGHT.inner4}:9002 - | sha256sum`]);
    assert.match(download, new RegExp(hashOf(Buffer.alloc(10_000_000, 'wiretype'))));
    assert.equal(await kernel.run(process.execPath, [KERNEL, 'thousand', RIGHT.inner4, '9000']), '1000');
  });

  for (const [title, setting] of [
    ['behind our daemon', { behind: subject }],
    ['behind our daemon, without the addon', { behind: subject, hasAddon: false }],
    ['behind wireguard-go', { behind: wireguardGo }],
  ] as const satisfies readonly (readonly [string, Setting])[])
    it(title, { timeout: 200_000 }, async (t) => {
      const ends = await connectEnds(t, setting);
      const { kernel, beside, ask } = ends;

      await t.test('downloads and uploads by curl', () => transferByCurl(ends, 10_000_000));

      await t.test('measures with iperf3 both ways, through a forwarded port', async () => {
        for (const words of [[], ['-R']]) {
          const server = kernel.start('iperf3', ['-s', '-1', '-B', LEFT.inner4, '--forceflush']);
          await server.says(/Server listening/);
          const report = await beside.run('iperf3', ['--json', '-n', '20M', '-c', '127.0.0.1', ...words]);
          await server.exited;
          const { end } = JSON.parse(report) as { end: { sum_received: { bytes: number } } };
          // iperf3 ends when all is sent: what its buffers hold may not have arrived by then.
          assert.ok(end.sum_received.bytes > 10_000_000, `${end.sum_received.bytes} bytes`);
        }
      });

      await t.test('gets its bytes back by nc', async () => {
        const input = 'a line of text\n'.repeat(50_000);
        assert.equal(await kernel.run('nc', ['-N', RIGHT.inner4, '9000'], { input }), input);
      });

      await t.test('ends its sending half by socat, and still gets the answer', async () => {
        const input = 'x'.repeat(1_000_000);
        const answer = await kernel.run('socat', ['-t', '60', '-', `TCP:${RIGHT.inner4}:9001`], { input });
        assert.equal(answer, hashOf(input));
      });

      await t.test('holds a thousand connections at once, opened by the kernel', async () => {
        assert.equal(await kernel.run(process.execPath, [KERNEL, 'thousand', RIGHT.inner4, '9000']), '1000');
      });

      await t.test('holds a thousand connections at once, opened by the program', async () => {
        assert.equal(await ask('thousand 7000'), 1_000);
      });

      await t.test('is reset, and resets (RFC 9293 §3.10.7.4)', async () => {
        assert.equal(await kernel.run(process.execPath, [KERNEL, 'end', RIGHT.inner4, '9002']), 'read ECONNRESET');
        assert.equal(await ask('connect 7001'), 'read ECONNRESET');
        const reported = nextLine(ends.program);
        await kernel.run(process.execPath, [KERNEL, 'reset', RIGHT.inner4, '9003']);
        assert.equal(await reported(), 'read ECONNRESET');
        await ask('reset 7002');
        await ends.services.says(/read ECONNRESET/);
      });
    });

  for (const [title, setting, bytes] of [
    ['loses 5 % of the datagrams each way', { behind: subject, lossPercent: 5 }, 2_000_000],
    ['has an MTU of 1,280 on both sides', { behind: subject, mtu: 1_280, ownMtu: 1_280 }, 5_000_000],
    ['has an MTU of 1,280 on the side of the kernel', { behind: subject, mtu: 1_280 }, 5_000_000],
    ['has an MTU of 1,280 on the side of the program', { behind: wireguardGo, ownMtu: 1_280 }, 5_000_000],
    ['knows no SACK, no window scaling, no timestamps', { behind: subject, sysctls: withoutOptions() }, 5_000_000],
    [
      'knows no SACK, no window scaling, no timestamps, and loses 2 %',
      { behind: subject, sysctls: withoutOptions(), lossPercent: 2 },
      1_000_000,
    ],
  ] as const satisfies readonly (readonly [string, Setting, number])[])
    it(`that ${title}`, { timeout: 200_000 }, async (t) => {
      await transferByCurl(await connectEnds(t, setting), bytes);
    });
});

/** Names what lwIP lacks by default. The settings are those of one network namespace. */
function withoutOptions(): string[] {
  return ['tcp_sack', 'tcp_window_scaling', 'tcp_timestamps'].map((name) => `net.ipv4.${name}`);
}

async function transferByCurl({ kernel, folder }: Ends, bytes: number): Promise<void> {
  const file = join(folder, 'upload');
  const data = randomBytes(bytes);
  writeFileSync(file, data);
  const hash = await kernel.run('curl', ['-s', '-m', '180', '-T', file, `${WEB}/`]);
  assert.equal(hash, hashOf(data));
  const download = join(folder, 'download');
  await kernel.run('curl', ['-s', '-m', '180', '-o', download, `${WEB}/${bytes}`]);
  const expected = hashOf(Buffer.alloc(bytes, 'wiretype'));
  assert.match(await kernel.run('sha256sum', [download]), new RegExp(`^${expected}`));
}

async function connectEnds(
  t: TestContext,
  { behind, hasAddon = true, mtu, ownMtu, lossPercent = 0, sysctls = [] }: Setting,
): Promise<Ends> {
  const { lab, left, right } = await connectTwoHosts(t);
  const daemon = await Wireguard.create(lab, left, behind, PORT);
  const keys = generateKeyPair();
  await daemon.setPeer({ publicKey: keys.publicKey, allowedIps: `${RIGHT.inner4}/32` });
  for (const name of sysctls) await left.sysctl(name, 0);
  await daemon.up([`${LEFT.inner4}/24`], mtu);
  const services = left.start(process.execPath, [KERNEL, 'serve', LEFT.inner4]);
  await services.says(/ready/);
  if (lossPercent > 0) for (const host of [left, right]) await loseDatagrams(host, lossPercent);

  const config = join(lab.folder, 'peer.conf');
  writeFileSync(config, configuration(keys.privateKey, daemon.publicKey, ownMtu));
  const program = right.start('setpriv', [...NO_RIGHTS, process.execPath, LIBRARY, config, LEFT.inner4], {
    env: { WIRETYPE_NO_ADDON: hasAddon ? '0' : '1' },
    isInteractive: true,
  });
  await program.says(/"ready"/);
  const ask = async (command: string): Promise<unknown> => {
    const reported = nextLine(program);
    program.write(`${command}\n`);
    return await reported();
  };
  return { kernel: left, beside: right, daemon, program, services, folder: lab.folder, ask };
}

/** Remembers what a program has printed. @returns A function that waits for the next line. */
function nextLine(program: Program): () => Promise<unknown> {
  const from = program.stdout.length;
  return async () => {
    const line = await waitFor(
      'an answer of the program',
      () => {
        if (!program.isRunning) throw new Error(`the program ended\n${program.stderr}`);
        return /^(.*)\n/.exec(program.stdout.slice(from))?.[1];
      },
      180_000,
    );
    return JSON.parse(line);
  };
}

function configuration(privateKey: string, publicKey: string, mtu = 1_420): string {
  return `[Interface]
PrivateKey = ${privateKey}
Address = ${RIGHT.inner4}/24
MTU = ${mtu}
[Peer]
PublicKey = ${publicKey}
Endpoint = ${LEFT.outer4}:${PORT}
AllowedIPs = ${LEFT.inner4}/24
PersistentKeepalive = 25
`;
}

function hashOf(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
