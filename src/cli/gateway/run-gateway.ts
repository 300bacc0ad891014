import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { formatKey } from '../../control/key-text.js';
import type { IpPrefix } from '../../core/configuration.js';
import { WireGuardError } from '../../core/errors.js';
import { generateKeyPair } from '../../crypto/key-pair.js';
import type { Opening } from '../../gateway/gateway-engine.js';
import type { UplinkKind } from '../../gateway/gateway-model.js';
import type { GatewayEvent } from '../../gateway/gateway-service.js';
import { openGateway } from '../../gateway/service/open-gateway.js';
import type { RunningGateway } from '../../gateway/service/running-gateway.js';
import type { MeshHub } from '../../mesh/hub/mesh-hub.js';
import type { OidcSettings } from '../../server/auth/oidc.js';
import { GatewayServer } from '../../server/gateway-server.js';
import type { HostInterfaces } from '../../server/host-interfaces.js';
import type { TlsPaths } from '../../server/tls-files.js';
import { restoreStore, SqliteStore } from '../../store/sqlite-store.js';
import type { CommandIo } from '../command.js';
import { type HubRun, hubSettings, openHub, sayHowToJoin } from '../mesh/run-hub.js';
import { systemHostNetwork } from '../setup/system-host-network.js';
import { packageVersion } from '../version.js';
import { qrText } from './actions.js';
import { conditionText } from './device-text.js';
import { firstSettings } from './first-settings.js';
import { GatewayClient } from './gateway-client.js';
import { readOrMakeKey, socketPath } from './gateway-folder.js';

const PAGE_FOLDER = fileURLToPath(new URL('../../../web', import.meta.url));
const INSIDE_PORT = 80;
const ANSWER_MS = 200;

export interface GatewayRun {
  readonly folder: string;
  readonly endpoint?: string;
  readonly port?: number;
  readonly pages: readonly { readonly host: string; readonly port: number }[];
  /** Files of TLS for the page. Absent: plain HTTP. */
  readonly tls?: TlsPaths;
  readonly hostNames: readonly string[];
  readonly uplink?: UplinkKind;
  readonly oidc?: OidcSettings;
  /** The interfaces of this host are on the page as well. */
  readonly hasInterfaces?: boolean;
  /** A file that declares what the gateway is to be. */
  readonly config?: string;
  readonly openings: readonly Opening[];
  readonly trustedProxies: readonly IpPrefix[];
  /** The gateway is the hub of a network. */
  readonly hub?: HubRun;
  /** Called when everything runs, with the file of the first device where this is the first run. */
  readonly onReady?: (ready: { readonly gateway: RunningGateway; readonly file?: string }) => Promise<void>;
}

/**
 * Runs a gateway until it is interrupted, and again with each backup that the page restores.
 *
 * @returns Exit status.
 * @throws {WireGuardError} If it cannot start.
 */
export async function runGateway(run: GatewayRun, io: CommandIo): Promise<number> {
  const interruption = io.interruption();
  for (;;) {
    const backup = await runUntilEnd(run, io, interruption);
    if (backup === undefined) return 0;
    try {
      const { aside } = await restoreStore(run.folder, backup);
      io.write(`Restored a backup. The state until now is kept as ${aside}.\n`);
    } catch (error) {
      io.writeError(`The backup was not restored: ${error instanceof Error ? error.message : ''}\n`);
    }
    rmSync(backup, { force: true });
  }
}

/** @returns The backup to go on with, if one is to be restored. */
async function runUntilEnd(run: GatewayRun, io: CommandIo, interruption: AbortSignal): Promise<string | undefined> {
  const ending = new AbortController();
  const end = AbortSignal.any([interruption, ending.signal]);
  let backup: string | undefined;
  const say = (line: string): void => io.write(`${line}\n`);
  const privateKey = readOrMakeKey(run.folder);
  const store = await SqliteStore.open(run.folder);
  const log = (line: string): void => io.writeError(`${line}\n`);
  const hub = run.hub === undefined ? undefined : openHub(run.hub, run.folder, privateKey, log);
  const gateway = await open(run, store, privateKey, io, hub).catch(async (error) => {
    await store.close();
    throw error;
  });
  await hub?.start(gateway);
  const server = new GatewayServer({
    gateway,
    store,
    version: packageVersion(),
    pageFolder: PAGE_FOLDER,
    hostNames: hostNamesOf(run, gateway),
    trustedProxies: run.trustedProxies,
    ...(run.hasInterfaces === true ? { interfaces: await openInterfaces() } : {}),
    ...(run.oidc === undefined ? {} : { oidc: run.oidc }),
    ...(hub === undefined ? {} : { hub }),
    folder: run.folder,
    restore: (path) => {
      backup = path;
      setTimeout(() => ending.abort(), ANSWER_MS); // the answer goes out first
    },
    log,
  });
  try {
    const ports = await Promise.all(run.pages.map(({ host, port }) => server.listen(host, port, run.tls)));
    await server.listenLocal(socketPath(run.folder));
    if (run.config !== undefined) await applyAtStart(run.config, run.folder, io);
    gateway.listenInside(INSIDE_PORT, (stream) => server.serveInside(stream));
    say(`The gateway takes devices at ${gateway.settings.endpoint} (UDP).`);
    await sayWhereThePageIs(run, ports, server, say);
    if (run.hub !== undefined) {
      const isSeen = run.hub.name !== undefined || io.columns !== undefined;
      await sayHowToJoin(new GatewayClient(socketPath(run.folder)), isSeen, say);
    }
    const hasFirst = run.hasInterfaces !== true && run.hub === undefined;
    const file = hasFirst ? await makeFirstDevice(gateway) : undefined;
    if (file !== undefined) {
      say('Scan this with the WireGuard app of your phone; the code is shown this once:\n');
      io.write(await qrText(file, io).catch(() => file));
    }
    void followEvents(gateway, end, say);
    await run.onReady?.({ gateway, ...(file === undefined ? {} : { file }) });
    if (!end.aborted && run.onReady === undefined) await once(end, 'abort');
    return backup;
  } finally {
    await hub?.close();
    await server.close();
    await gateway.close();
  }
}

/** @throws {WireGuardError} ERR_NOT_ROOT */
async function openInterfaces(): Promise<HostInterfaces> {
  if (process.getuid?.() !== 0)
    throw new WireGuardError('ERR_NOT_ROOT', "--interfaces reads and changes what is root's");
  const { CommandInterfaces } = await import('./command-interfaces.js');
  return new CommandInterfaces();
}

async function applyAtStart(path: string, folder: string, io: CommandIo): Promise<void> {
  const { applyFile } = await import('./apply-file.js');
  const client = new GatewayClient(socketPath(folder));
  await applyFile({ path, isDryRun: false, isJson: false }, client, io);
}

async function open(
  run: GatewayRun,
  store: SqliteStore,
  privateKey: Uint8Array,
  io: CommandIo,
  hub: MeshHub | undefined,
): Promise<RunningGateway> {
  const { endpoint, port, openings, uplink = 'sockets' } = run;
  try {
    return await openGateway({
      store,
      privateKey,
      openings,
      uplink,
      ...(hub === undefined ? {} : { wrapSocket: hub.wrapSocket, names: hub.names }),
      firstSettings: () => {
        const settings = firstSettings(systemHostNetwork, {
          environment: process.env,
          ...(endpoint === undefined ? {} : { endpoint }),
          ...(port === undefined ? {} : { listenPort: port }),
        });
        return run.hub === undefined ? settings : hubSettings(settings, run.hub, run.folder);
      },
      onFailure: (error) => io.writeError(`${error instanceof Error ? error.message : String(error)}\n`),
    });
  } finally {
    privateKey.fill(0);
  }
}

/** The page is asked for by the names of its options, and by the gateway's own addresses and name inside of the tunnel. */
function hostNamesOf({ hostNames, pages }: GatewayRun, gateway: RunningGateway): string[] {
  return [...hostNames, ...pages.map(({ host }) => host), ...gateway.ownNames];
}

async function sayWhereThePageIs(
  { pages, hostNames, tls }: GatewayRun,
  ports: readonly number[],
  server: GatewayServer,
  say: (line: string) => void,
): Promise<void> {
  const [host, port] = [pages[0]!.host, ports[0]!];
  const isLoopback = host === '127.0.0.1' || host === '::1';
  const name = hostNames[0] ?? (isLoopback ? 'localhost' : host.includes(':') ? `[${host}]` : host);
  const origin = `${tls === undefined ? 'http' : 'https'}://${name}:${port}`;
  const link = await server.makeSetUpLink();
  say(`The page is at ${origin}/`);
  if (link !== undefined) say(`Set it up within 15 minutes: ${origin}/#/link/${link}`);
}

/** @returns The file of the first device, complete, where there was none. Its private key is kept nowhere. */
async function makeFirstDevice(gateway: RunningGateway): Promise<string | undefined> {
  if (gateway.devices().length > 0) return undefined;
  const { publicKey, privateKey } = generateKeyPair();
  const { device } = await gateway.addDevice({ name: 'phone', publicKey: formatKey(publicKey) }, 'gateway');
  const file = gateway.deviceFile(device.id, formatKey(privateKey));
  privateKey.fill(0);
  return file;
}

async function followEvents(gateway: RunningGateway, signal: AbortSignal, say: (line: string) => void): Promise<void> {
  const conditions = new Map(gateway.devices().map(({ device, condition }) => [device.id, condition]));
  for await (const event of gateway.events(signal)) {
    const line = lineOf(event, conditions);
    if (line !== undefined) say(`${new Date().toISOString().slice(11, 19)} ${line}`);
  }
}

function lineOf(event: GatewayEvent, conditions: Map<string, string>): string | undefined {
  if (event.kind === 'device-changed') {
    const { device, condition, endpoint } = event.device;
    if (conditions.get(device.id) === condition) return undefined;
    conditions.set(device.id, condition);
    const from = endpoint === undefined || condition !== 'online' ? '' : ` from ${endpoint}`;
    return `${device.name} is ${conditionText({ condition })}${from}`;
  }
  if (event.kind === 'denied' && event.denial.count === 1) {
    const { flow, decision } = event.denial;
    return `denied ${flow.protocol} to ${flow.destination}:${flow.port} (${decision.reason})`;
  }
  return event.kind === 'rules-changed' ? 'the rules were changed' : undefined;
}
