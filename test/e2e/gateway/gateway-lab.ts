/**
 * `wiretype gateway` between a stock client and a server beyond.
 *
 * ```text
 *   client (a machine of its own)      gateway                          server
 *   eth0 203.0.113.2/24 ═ cable ═ 203.0.113.1/24 eth0
 *                                      45.45.0.1/24 eth1 ══ cable ══ 45.45.0.7/24 eth0
 *   phone  ─ ─ ─ ─ tunnel ─ ─ ─ ─ wiretype gateway                  web server, iperf3
 * ```
 */
import { createHash, randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

import { CHECKOUT } from '../../lab/implementation.js';
import { addAddresses, Lab } from '../../lab/lab.js';
import { Machine } from '../../lab/machine.js';
import type { Host } from '../../lab/namespace.js';
import { type Program, run } from '../../lab/program.js';
import { NO_RIGHTS } from '../../lab/proxy-lab.js';
import { copyReadable } from '../../lab/readable-checkout.js';

export const SERVER = '45.45.0.7';
const NOBODY = ['--reuid=65534', '--regid=65534', '--clear-groups', ...NO_RIGHTS];
/** Makes wg-quick use wireguard-go, as it is. */
export const STOCK_CLIENT = {
  WG_QUICK_USERSPACE_IMPLEMENTATION: 'wireguard-go',
  WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD: '1',
};
const DOWNLOAD_BYTES = 200_000_000;

export interface GatewaySetting {
  readonly client: Machine;
  /** The host of the gateway. */
  readonly gateway: Host;
  readonly program: Program;
  /** Starts the gateway again, with the same words. */
  readonly startAgain: () => Promise<Program>;
  /** Runs `wiretype gateway` with words, as the user of the gateway. */
  readonly ask: (...words: readonly string[]) => Promise<string>;
  readonly checksum: string;
  /** Folder of the laboratory. */
  readonly folder: string;
  /** Leaves no room on the disk of the state. Only with `diskMegabytes`. */
  readonly fillDisk?: () => Promise<unknown>;
  readonly freeDisk?: () => Promise<unknown>;
  readonly gatewayAddress: string;
}

/** How the gateway runs: as nobody, without a capability, or as root. */
export interface GatewayRun {
  readonly isRoot: boolean;
  /** More words of `wiretype gateway run`. */
  readonly words: readonly string[];
  /** Size of the disk that the state is on. Default: that of the machine. */
  readonly diskMegabytes?: number;
  /** Default: the client is connected by the file that the gateway makes for it. */
  readonly hasClient?: boolean;
}

/** Opens the laboratory: the client is connected by the file that the gateway made for it. */
export async function openGatewayLab(t: TestContext, how: GatewayRun): Promise<GatewaySetting> {
  const { isRoot, words: options, diskMegabytes, hasClient = true } = how;
  const lab = Lab.open(t);
  const [client, gateway, server] = [
    await Machine.create(lab, 'client'),
    await lab.host('gateway'),
    await lab.host('server'),
  ];
  await lab.cable([client.host, 'eth0'], [gateway, 'eth0']);
  await lab.cable([gateway, 'eth1'], [server, 'eth0']);
  await addAddresses(
    [client.host, 'eth0', '203.0.113.2/24', '2001:db8:c::2/64'],
    [gateway, 'eth0', '203.0.113.1/24', '2001:db8:c::1/64'],
    [gateway, 'eth1', '45.45.0.1/24', '2a01:4f8::1/64'],
    [server, 'eth0', `${SERVER}/24`, '2a01:4f8::7/64'],
  );
  await client.host.ip('route add default via 203.0.113.1');
  await gateway.sysctl('net.ipv4.ping_group_range', '0 2147483647');
  const checksum = await serve(lab, server);

  const checkout = await copyReadable(t);
  // Node 20 has no SQLite of its own.
  for (const name of ['@photostructure/sqlite', 'node-addon-api', 'node-gyp-build'])
    if (existsSync(join(CHECKOUT, 'node_modules', name)))
      cpSync(join(CHECKOUT, 'node_modules', name), join(checkout, 'node_modules', name), { recursive: true });
  cpSync(join(CHECKOUT, 'dist/web'), join(checkout, 'dist/web'), { recursive: true });
  await run('chmod', ['-R', 'a+rX', checkout]);
  const state = diskMegabytes === undefined ? join(lab.folder, 'state') : await mountDisk(t, diskMegabytes);
  mkdirSync(state, { recursive: true });
  if (!isRoot) await run('chown', ['65534:65534', state]);
  await run('chmod', ['755', lab.folder]);
  const words = (more: readonly string[]) => [
    ...(isRoot ? ['--nnp'] : NOBODY),
    process.execPath,
    join(checkout, 'bin/wiretype'),
    'gateway',
    ...more,
    '--state',
    state,
  ];
  const start = (): Program =>
    gateway.start('setpriv', words(['run', '--endpoint', '203.0.113.1', '--page', '8080', ...options]), {
      env: { HOME: '/nonexistent' },
    });
  const program = start();
  await program.says(/Scan this with/);
  const startAgain = async (): Promise<Program> => {
    const next = start();
    await next.says(/The page is at/);
    return next;
  };
  const ask = (...more: readonly string[]) => gateway.run('setpriv', words(more), { env: { HOME: '/nonexistent' } });

  if (hasClient) await connectClient(client, await ask('add', 'tablet'));
  const filling = join(state, 'filling');
  const disk = {
    fillDisk: () => run('bash', ['-c', `dd if=/dev/zero of=${filling} bs=4k status=none || true`]),
    freeDisk: () => run('rm', [filling]),
  };
  return {
    ...(diskMegabytes === undefined ? {} : disk),
    client,
    gateway,
    program,
    startAgain,
    ask,
    checksum,
    folder: lab.folder,
    gatewayAddress: JSON.parse(await ask('call', 'GET', '/settings')).subnet4.replace(/0\/\d+$/, '1'),
  };
}

async function connectClient(client: Machine, file: string): Promise<void> {
  const path = '/etc/wireguard/tablet.conf';
  await client.write(path, file.replace(/^DNS.*\n/m, ''));
  await client.run('wg-quick', ['up', path], { env: STOCK_CLIENT });
}

/** Makes a small file system, which goes after the programs of the laboratory. @returns Its folder. */
async function mountDisk(t: TestContext, megabytes: number): Promise<string> {
  const path = mkdtempSync(join(tmpdir(), 'wiretype-disk-'));
  await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=755`, 'tmpfs', path]);
  t.after(async () => {
    await run('umount', ['-l', path]);
    rmdirSync(path);
  });
  return path;
}

/** Starts the web server, an echo server and iperf3. @returns SHA-256 of the download. */
async function serve(lab: Lab, server: Host): Promise<string> {
  const folder = join(lab.folder, 'web');
  mkdirSync(folder);
  const bytes = Buffer.alloc(DOWNLOAD_BYTES, randomBytes(1_000_003));
  writeFileSync(join(folder, 'big'), bytes);
  writeFileSync(join(folder, 'page'), 'a page beyond the gateway\n');
  server.start('python3', ['-m', 'http.server', '80', '--bind', '::', '--directory', folder]);
  const echo = `require('net').createServer((s) => s.on('error', () => {}).pipe(s)).listen(7, '${SERVER}', () => console.log('ready'))`;
  await server.start(process.execPath, ['-e', echo]).says(/ready/);
  await server.start('iperf3', ['-s', '--forceflush']).says(/listening/);
  return createHash('sha256').update(bytes).digest('hex');
}
