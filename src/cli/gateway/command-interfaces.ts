import { readdirSync } from 'node:fs';

import type {
  HostInterface,
  HostInterfaceDetail,
  HostInterfaces,
  HostPeer,
  PeerExplanation,
} from '../../server/host-interfaces.js';
import { ApiError } from '../../server/server-errors.js';
import { CONFIG_FOLDER } from '../quick/config-path.js';
import { runCaptured } from './captured-command.js';

/** The members of `list-peers --json` that are used here. */
interface ListedPeer {
  readonly name: string | null;
  readonly publicKey: string;
  readonly status: 'online' | 'asleep' | 'never-seen' | 'disabled' | 'expired' | null;
  readonly allowedIps: readonly string[];
  readonly endpoint: string | null;
  readonly latestHandshake: string | null;
  readonly expires: string | null;
}

/** The members of `show --json` that are used here. */
interface ShownInterface {
  readonly name: string;
  readonly publicKey: string | null;
  readonly listenPort: number | null;
  readonly peers: readonly (Omit<ListedPeer, 'status' | 'expires'> & {
    readonly rxBytes: number;
    readonly txBytes: number;
  })[];
}

/** The interfaces of this host by the commands that administrators use: the page does nothing that they do not do. */
export class CommandInterfaces implements HostInterfaces {
  async list(): Promise<readonly HostInterface[]> {
    const running = new Set((await shown('all')).map(({ name }) => name));
    const files = new Set(configuredNames());
    const names = [...new Set([...files, ...running])].sort();
    return names.map((name) => ({ name, isRunning: running.has(name), hasFile: files.has(name) }));
  }

  async get(name: string): Promise<HostInterfaceDetail> {
    const found = (await this.list()).find((each) => each.name === name);
    if (found === undefined) throw new ApiError('ERR_NOT_FOUND', `this host has no interface ${name}`);
    const [live] = found.isRunning ? await shown(name) : [];
    const { peers: listed } = found.hasFile
      ? await parsed<{ peers: ListedPeer[] }>('list-peers', [name, '--json'])
      : { peers: [] };
    const unlisted = (live?.peers ?? []).filter(
      ({ publicKey }) => !listed.some((peer) => peer.publicKey === publicKey),
    );
    return {
      ...found,
      ...(live?.publicKey == null ? {} : { publicKey: live.publicKey }),
      ...(live?.listenPort == null ? {} : { listenPort: live.listenPort }),
      peers: [
        ...listed.map((peer) => peerOf(peer, live)),
        ...unlisted.map((peer) => ({ ...peerOf({ ...peer, status: null, expires: null }, live), isInFile: false })),
      ],
    };
  }

  async explain(name: string, publicKey: string): Promise<PeerExplanation> {
    const { peers } = await parsed<{ peers: PeerExplanation[] }>('explain', [name, publicKey, '--json']);
    const { reason, advice } = peers[0]!;
    return { reason, advice };
  }

  async addPeer(name: string, { name: peerName, publicKey }: { name: string; publicKey: string }): Promise<string> {
    const words = [name, peerName, '--full', '--public-key', publicKey, '--json'];
    const { config } = await parsed<{ config: string }>('add-peer', words);
    return config.replace(/^# PrivateKey = .*$/m, 'PrivateKey = ');
  }

  async renamePeer(name: string, publicKey: string, peerName: string): Promise<void> {
    await runCaptured('rename-peer', [name, publicKey, peerName]);
  }

  async setDisabled(name: string, publicKey: string, isDisabled: boolean): Promise<void> {
    await runCaptured(isDisabled ? 'disable-peer' : 'enable-peer', [name, publicKey]);
  }

  async removePeer(name: string, publicKey: string): Promise<void> {
    await runCaptured('remove-peer', [name, publicKey]);
  }
}

async function shown(name: string): Promise<readonly ShownInterface[]> {
  return (await parsed<{ interfaces: ShownInterface[] }>('show', [name, '--json'])).interfaces;
}

async function parsed<T>(command: string, args: readonly string[]): Promise<T> {
  return JSON.parse(await runCaptured(command, args)) as T;
}

function configuredNames(): string[] {
  try {
    return readdirSync(CONFIG_FOLDER).flatMap((file) => /^([a-zA-Z0-9_=+.-]{1,15})\.conf$/.exec(file)?.[1] ?? []);
  } catch {
    return []; // the folder is missing, or closed to this user
  }
}

function peerOf(peer: ListedPeer, live: ShownInterface | undefined): HostPeer {
  const counted = live?.peers.find(({ publicKey }) => publicKey === peer.publicKey);
  const { name, publicKey, status, allowedIps, endpoint, latestHandshake, expires } = peer;
  return {
    ...(name === null ? {} : { name }),
    publicKey,
    state: status ?? stateOf(latestHandshake, live),
    allowedIps,
    ...(endpoint === null ? {} : { endpoint }),
    ...(latestHandshake === null ? {} : { lastHandshakeUnixMs: Date.parse(latestHandshake) }),
    ...(expires === null ? {} : { expiresAtUnixMs: Date.parse(expires) }),
    receivedBytes: counted?.rxBytes ?? 0,
    sentBytes: counted?.txBytes ?? 0,
    isInFile: true,
  };
}

/** How long a session lives (whitepaper §6.1, Reject-After-Time). */
const SESSION_MS = 180_000;

function stateOf(latestHandshake: string | null, live: ShownInterface | undefined): HostPeer['state'] {
  if (live === undefined) return 'not-running';
  if (latestHandshake === null) return 'never-seen';
  return Date.now() - Date.parse(latestHandshake) <= SESSION_MS ? 'online' : 'asleep';
}
