/**
 * The network of the measures of gateways.
 *
 * ```text
 *   client ══ cable ══ gateway ══ cable ══ server
 *   behind wiretyped   wiretype gateway    45.45.0.7
 * ```
 *
 * For a program that translates addresses the client is a namespace without a cable, which the program serves from the
 * gateway's host. TCP uses CUBIC: it is a property of the routes.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { wiretype } from '../../test/lab/implementation.js';
import { addAddresses } from '../../test/lab/lab.js';
import type { Host } from '../../test/lab/namespace.js';
import { type Program, run } from '../../test/lab/program.js';
import { waitFor } from '../../test/lab/wait.js';
import { Wireguard } from '../../test/lab/wireguard.js';
import { GATEWAY_JS, GATEWAY_TUN, SLIRP } from '../contender.js';
import type { Site } from '../site.js';
import { streamsTool } from '../tools.js';

export const SERVER = '45.45.0.7';
/** Ports of the server: what `bench/streams.c` does with connections to each. */
export const ServerPort = { Web: 7_202, Idle: 7_203 } as const;
const OUTER = '203.0.113.1';
const NOBODY = ['--reuid=65534', '--regid=65534', '--clear-groups', '--inh-caps=-all', '--ambient-caps=-all'];

export interface GatewaySite {
  readonly client: Host;
  readonly gateway: Host;
  readonly server: Host;
  /** The process whose work and memory are measured. */
  readonly carrier: Program;
  /** Asks the gateway by its command line. Absent: it is a program without one. */
  readonly ask?: (...words: readonly string[]) => Promise<string>;
  /** Socket of the gateway, for HTTP. */
  readonly socketPath?: string;
  /** Connects one more host as a device. */
  readonly addClient?: (name: string) => Promise<Host>;
}

/** The site that all measures of a contender share. */
export async function gatewaySite(site: Site): Promise<GatewaySite> {
  return await site.once('gateway', async () => await open(site));
}

async function open(site: Site): Promise<GatewaySite> {
  const { lab, contender } = site;
  const [gateway, server] = [await lab.host('gateway'), await lab.host('server')];
  await lab.cable([gateway, 'eth1'], [server, 'eth0']);
  await addAddresses([gateway, 'eth1', '45.45.0.1/24'], [server, 'eth0', `${SERVER}/24`]);
  await gateway.ip('route replace 45.45.0.0/24 dev eth1 congctl cubic');
  await gateway.ip('route add default via 45.45.0.7');
  await server.ip('route replace 45.45.0.0/24 dev eth0 congctl cubic');
  await server.start(await streamsTool(), [SERVER, '7200']).says(/listening/);
  if (contender.kind === 'translator') return await openTranslator(site, gateway, server);
  return await openGateway(site, gateway, server);
}

async function openTranslator({ lab, contender }: Site, gateway: Host, server: Host): Promise<GatewaySite> {
  const client = await lab.host('client');
  const path = `/run/netns/${client.namespace}`;
  const words =
    contender.title === SLIRP
      ? ['--configure', '--mtu=1500', '--netns-type=path', path, 'tap0']
      : ['--config-net', '--foreground', '--quiet', '--runas', '0', '--no-map-gw', '--mtu', '1500', '--netns', path];
  const carrier = gateway.start(contender.command, words);
  await waitFor(`${contender.title} to serve`, async () => {
    if (!carrier.isRunning) throw new Error(`${carrier.title} ended\n${carrier.stderr}`);
    return (await client.ip('route show default')) !== '';
  });
  const route = (await client.ip('route show default')).trim().split('\n')[0]!.trim();
  await client.ip(`route replace ${route} congctl cubic`);
  return { client, gateway, server, carrier };
}

async function openGateway(site: Site, gateway: Host, server: Host): Promise<GatewaySite> {
  const { lab, contender } = site;
  const state = join(lab.folder, `${gateway.namespace}-state`);
  mkdirSync(state, { mode: 0o700 });
  const isTun = contender.title === GATEWAY_TUN;
  if (!isTun) await run('chown', ['65534:65534', state]);
  await run('chmod', ['755', lab.folder]);
  const words = [...(isTun ? ['--nnp'] : NOBODY), process.execPath, contender.command, 'gateway', '--state', state];
  const env = { HOME: '/nonexistent', ...(contender.title === GATEWAY_JS ? { WIRETYPE_NO_ADDON: '1' } : {}) };
  const options = ['--endpoint', `${OUTER}:51820`, '--port', '51820', ...(isTun ? ['--tun'] : [])];
  await gateway.run('ip', ['addr', 'add', `${OUTER}/32`, 'dev', 'lo']);
  const carrier = gateway.start('setpriv', [...words, 'run', ...options], { env });
  await carrier.says(/Scan this with/);
  const ask = (...more: readonly string[]): Promise<string> => gateway.run('setpriv', [...words, ...more], { env });
  let clients = 0;
  const addClient = async (name: string): Promise<Host> => {
    const client = await lab.host(name);
    await lab.cable([client, 'eth0'], [gateway, `c${clients}`]);
    await addAddresses(
      [client, 'eth0', `203.0.114.${2 * clients}/31`],
      [gateway, `c${clients}`, `203.0.114.${2 * clients + 1}/31`],
    );
    await client.ip(`route add ${OUTER} via 203.0.114.${2 * clients + 1}`);
    clients++;
    await connect(site, client, await ask('add', name));
    return client;
  };
  return {
    client: await addClient('client'),
    gateway,
    server,
    carrier,
    ask,
    addClient,
    socketPath: join(state, 'control.sock'),
  };
}

/** Makes a host the device of a file, by wiretyped. */
async function connect({ lab }: Site, client: Host, file: string): Promise<void> {
  const value = (name: string): string => new RegExp(`^${name} = (.*)$`, 'm').exec(file)![1]!;
  const wireguard = await Wireguard.create(lab, client, wiretype);
  await wireguard.setKeys({ privateKey: value('PrivateKey'), publicKey: '' });
  await wireguard.setPeer({ publicKey: value('PublicKey'), endpoint: value('Endpoint'), allowedIps: '0.0.0.0/0' });
  await wireguard.up([value('Address').split(',')[0]!.trim()], 1_420);
  await client.ip(`link set ${wireguard.name} txqueuelen 4000`);
  await client.ip(`route add 45.45.0.0/24 dev ${wireguard.name} congctl cubic`);
}
