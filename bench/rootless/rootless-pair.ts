/**
 * The network of the measures without root.
 *
 * ```text
 *   near                                                          far
 *   eth0  10.0.0.1  ═════════════════ cable ═════════════════  10.0.0.2  eth0
 *   192.168.241.1: a program, or wiretyped with a TUN             192.168.241.2: wiretyped with a TUN, the kernel's TCP
 * ```
 *
 * The kernel's TCP uses CUBIC, whatever the machine's default is: it is a property of the routes into the tunnel.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { wiretype } from '../../test/lab/implementation.js';
import { generateKeyPair } from '../../test/lab/keys.js';
import { addAddresses } from '../../test/lab/lab.js';
import type { Host } from '../../test/lab/namespace.js';
import type { Program, RunOptions } from '../../test/lab/program.js';
import { RIGHT as FAR, LEFT as NEAR, PORT } from '../../test/lab/two-hosts.js';
import { waitFor } from '../../test/lab/wait.js';
import { Wireguard } from '../../test/lab/wireguard.js';
import type { Contender } from '../contender.js';
import { MTU, type Site } from '../site.js';
import { streamsTool } from '../tools.js';

const CLIENT = fileURLToPath(new URL('../load/rootless-client.js', import.meta.url));
const SOCKS_PORT = 1_080;

/** Ports of the far host: what `bench/streams.c` does with connections to each. */
export const FarPort = { Sink: 7_200, Source: 7_201, Web: 7_202, Idle: 7_203 } as const;
export const NEAR_ADDRESS = NEAR.inner4;
export const FAR_ADDRESS = FAR.inner4;

export interface RootlessPair {
  readonly contender: Contender;
  readonly near: Host;
  readonly far: Host;
  /** Carry the tunnel and the streams at the far end. */
  readonly farPrograms: readonly Program[];
  /** Runs as long as the pair: wiretyped with its TUN, or a proxy. */
  readonly nearDaemon: Program | undefined;
  readonly configurationFile: string;
  readonly uapiFile: string;
}

/** The pair that all measures of a site share. */
export async function rootlessPair(site: Site): Promise<RootlessPair> {
  return await site.once('rootless', async () => await openRootlessPair(site));
}

async function openRootlessPair({ lab, contender }: Site): Promise<RootlessPair> {
  const [near, far] = [await lab.host('near'), await lab.host('far')];
  await lab.cable([near, 'eth0'], [far, 'eth0']);
  await addAddresses([near, 'eth0', `${NEAR.outer4}/24`], [far, 'eth0', `${FAR.outer4}/24`]);

  const nearKeys = generateKeyPair();
  const farWireguard = await Wireguard.create(lab, far, wiretype, PORT);
  await farWireguard.setPeer({ publicKey: nearKeys.publicKey, allowedIps: `${NEAR.inner4}/32` });
  await bringUp(farWireguard, FAR.inner4);
  const streams = far.start(await streamsTool(), [FAR.inner4, String(FarPort.Sink)]);
  await streams.says(/listening/);

  const files = {
    configurationFile: join(lab.folder, `${near.namespace}.conf`),
    uapiFile: join(lab.folder, `${near.namespace}.uapi`),
  };
  writeFileSync(files.configurationFile, configurationText(nearKeys.privateKey, farWireguard.publicKey), {
    mode: 0o600,
  });
  writeFileSync(files.uapiFile, uapiText(nearKeys.privateKey, farWireguard.publicKey), { mode: 0o600 });
  const pair = { contender, near, far, farPrograms: [farWireguard.daemon!, streams], ...files, nearDaemon: undefined };
  if (contender.kind !== 'wireguard') return pair;

  const nearWireguard = await Wireguard.create(lab, near, contender, PORT);
  await nearWireguard.setKeys(nearKeys);
  const endpoint = `${FAR.outer4}:${PORT}`;
  await nearWireguard.setPeer({ publicKey: farWireguard.publicKey, endpoint, allowedIps: `${FAR.inner4}/32` });
  await bringUp(nearWireguard, NEAR.inner4);
  return { ...pair, nearDaemon: nearWireguard.daemon };
}

/** Starts the load program of the pair's contender. @returns It, and all processes of the near end whose work counts. */
export function startClient(
  pair: RootlessPair,
  action: 'from' | 'to',
  port: number,
  seconds: number,
  options?: RunOptions,
): { client: Program; nearPrograms: Program[] } {
  const client =
    pair.contender.kind === 'gvisor'
      ? startGvisor(pair, [action, `${FAR_ADDRESS}:${port}`, String(seconds)])
      : startNode(pair, wayOf(pair), [action, FAR_ADDRESS, String(port), String(seconds)], options);
  return { client, nearPrograms: pair.nearDaemon === undefined ? [client] : [client, pair.nearDaemon] };
}

/** Starts the load program in Node. */
export function startNode(pair: RootlessPair, way: string, words: readonly string[], options?: RunOptions): Program {
  return pair.near.start(process.execPath, ['--expose-gc', CLIENT, way, ...words], options);
}

/** Starts the SOCKS5 proxy that the contender is, and waits until it listens. */
export async function startProxy(pair: RootlessPair): Promise<Program> {
  const listen = `127.0.0.1:${SOCKS_PORT}`;
  const proxy =
    pair.contender.kind === 'gvisor'
      ? startGvisor(pair, ['socks', listen])
      : pair.near.start(pair.contender.command, ['proxy', '--socks', listen, pair.configurationFile]);
  await listensOn(pair, proxy);
  return proxy;
}

/** How the load program in Node connects. */
export function wayOf({ contender, configurationFile }: RootlessPair): string {
  if (contender.kind === 'library') return `library:${configurationFile}`;
  return contender.kind === 'wireguard' ? 'system' : `socks:${SOCKS_PORT}`;
}

function startGvisor({ contender, near, uapiFile }: RootlessPair, words: readonly string[]): Program {
  return near.start(contender.command, [uapiFile, NEAR.inner4, String(MTU), ...words]);
}

async function listensOn({ near }: RootlessPair, proxy: Program): Promise<void> {
  await waitFor(`${proxy.title} to listen`, async () => {
    if (!proxy.isRunning) throw new Error(`${proxy.title} ended\n${proxy.stderr}`);
    return (await near.run('ss', ['-Htln', 'sport', '=', `:${SOCKS_PORT}`])) !== '';
  });
}

async function bringUp(wireguard: Wireguard, address: string): Promise<void> {
  await wireguard.up([`${address}/24`], MTU);
  // A thousand connections at once fit: the default of 500 packets loses SYN-ACKs, which come again a second later.
  await wireguard.host.ip(`link set ${wireguard.name} txqueuelen 4000`);
  const route = ['route', 'replace', '192.168.241.0/24', 'dev', wireguard.name, 'proto', 'kernel', 'scope', 'link'];
  await wireguard.host.run('ip', [...route, 'src', address, 'congctl', 'cubic']);
}

function configurationText(privateKey: string, peer: string): string {
  return `[Interface]
PrivateKey = ${privateKey}
Address = ${NEAR.inner4}/24
MTU = ${MTU}
[Peer]
PublicKey = ${peer}
Endpoint = ${FAR.outer4}:${PORT}
AllowedIPs = ${FAR.inner4}/32
`;
}

/** The same as wireguard-go takes it. Source: wireguard.com/xplatform. */
function uapiText(privateKey: string, peer: string): string {
  const hex = (key: string): string => Buffer.from(key, 'base64').toString('hex');
  return `private_key=${hex(privateKey)}
public_key=${hex(peer)}
endpoint=${FAR.outer4}:${PORT}
allowed_ip=${FAR.inner4}/32
`;
}
