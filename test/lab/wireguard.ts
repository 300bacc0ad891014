/** A WireGuard interface on a host of the laboratory, driven by stock `wg` and `ip`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { isAnswered } from './control-socket.js';
import type { Implementation } from './implementation.js';
import { generateKeyPair, type KeyPairText } from './keys.js';
import { addAddress, type Lab, uniqueInterfaceName } from './lab.js';
import type { Host } from './namespace.js';
import { attempt, type Program, type RunOptions, type RunResult, run } from './program.js';
import { waitFor } from './wait.js';

const SOCKET_FOLDER = '/var/run/wireguard';

/** One line of `wg show IFACE dump`. Absent values are `undefined` or 0, as `wg` says `(none)` or `off`. */
export interface PeerState {
  readonly publicKey: string;
  readonly presharedKey: string | undefined;
  readonly endpoint: string | undefined;
  readonly allowedIps: readonly string[];
  /** Seconds since 1970; 0: never. */
  readonly latestHandshake: number;
  readonly rxBytes: number;
  readonly txBytes: number;
  readonly persistentKeepaliveSeconds: number;
}

export interface DeviceState {
  readonly privateKey: string | undefined;
  readonly listenPort: number;
  readonly fwmark: string;
  readonly peers: readonly PeerState[];
}

/** The settings of a peer; absent settings are left unchanged. */
export interface PeerSettings {
  readonly publicKey: string;
  readonly presharedKey?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly allowedIps?: string | undefined;
  readonly keepalive?: number | undefined;
}

export class Wireguard {
  readonly name: string;
  readonly lab: Lab;
  readonly implementation: Implementation;
  keys: KeyPairText = generateKeyPair();
  /** Where the interface is. The daemon stays where it was started. */
  host: Host;
  daemon: Program | undefined;
  #secretNumber = 0;

  constructor(lab: Lab, host: Host, implementation: Implementation, name = uniqueInterfaceName()) {
    this.lab = lab;
    this.host = host;
    this.implementation = implementation;
    this.name = name;
  }

  /** Starts the daemon and gives it a private key and a port. */
  static async create(lab: Lab, host: Host, implementation: Implementation, listenPort = 51820): Promise<Wireguard> {
    const wireguard = new Wireguard(lab, host, implementation);
    await wireguard.start();
    await wireguard.setKeys(wireguard.keys, listenPort);
    return wireguard;
  }

  get socketPath(): string {
    return `${SOCKET_FOLDER}/${this.name}.sock`;
  }

  get publicKey(): string {
    return this.keys.publicKey;
  }

  /** Starts the daemon in the foreground and waits until it answers. */
  async start(options: RunOptions = {}): Promise<void> {
    const env = { LOG_LEVEL: process.env['LOG_LEVEL'] ?? 'error', ...this.implementation.env, ...options.env };
    const daemon = this.host.start(
      this.implementation.command,
      [...(this.implementation.words ?? []), '-f', this.name],
      { ...options, env },
    );
    this.daemon = daemon;
    await waitFor(`${this.implementation.title} to answer`, async () => {
      if (!daemon.isRunning) throw new Error(`${daemon.title} ended with ${daemon.exitStatus}\n${daemon.stderr}`);
      return await this.answers();
    });
  }

  /** Whether something listens behind the control socket. */
  async answers(): Promise<boolean> {
    return await isAnswered(this.socketPath);
  }

  /** `wg set` with these words after the name. */
  async set(...words: readonly string[]): Promise<void> {
    await run('wg', ['set', this.name, ...words]);
  }

  async attemptSet(...words: readonly string[]): Promise<RunResult> {
    return await attempt('wg', ['set', this.name, ...words]);
  }

  async setKeys(keys: KeyPairText, listenPort?: number): Promise<void> {
    this.keys = keys;
    const port = listenPort === undefined ? [] : ['listen-port', String(listenPort)];
    await this.set('private-key', this.secretFile(keys.privateKey), ...port);
  }

  async setPeer(peer: PeerSettings): Promise<void> {
    const words = ['peer', peer.publicKey];
    if (peer.presharedKey !== undefined) words.push('preshared-key', this.secretFile(peer.presharedKey));
    if (peer.endpoint !== undefined) words.push('endpoint', peer.endpoint);
    if (peer.keepalive !== undefined) words.push('persistent-keepalive', String(peer.keepalive));
    if (peer.allowedIps !== undefined) words.push('allowed-ips', peer.allowedIps);
    await this.set(...words);
  }

  /** Gives the interface its addresses and brings the link up. */
  async up(addresses: readonly string[], mtu?: number): Promise<void> {
    for (const address of addresses) await addAddress(this.host, this.name, address);
    if (mtu !== undefined) await this.setMtu(mtu);
    await this.host.ip(`link set ${this.name} up`);
  }

  async setMtu(mtu: number): Promise<void> {
    await this.host.ip(`link set ${this.name} mtu ${mtu}`);
  }

  /** The state by `wg show IFACE dump`. */
  async state(): Promise<DeviceState> {
    const [first = '', ...lines] = (await run('wg', ['show', this.name, 'dump'])).trimEnd().split('\n');
    const [privateKey, , listenPort, fwmark = ''] = first.split('\t');
    return { privateKey: known(privateKey), listenPort: Number(listenPort), fwmark, peers: lines.map(parsePeer) };
  }

  /** The state of the only peer, or of the one with this key. */
  async peer(publicKey?: string): Promise<PeerState> {
    const { peers } = await this.state();
    const found = publicKey === undefined ? peers[0] : peers.find((peer) => peer.publicKey === publicKey);
    if (found === undefined) throw new Error(`${this.name} has no such peer`);
    return found;
  }

  /** Writes a secret to a file that only we can read: `wg` takes none on its command line. */
  secretFile(secret: string): string {
    const path = join(this.lab.folder, `${this.name}-${this.#secretNumber++}`);
    writeFileSync(path, `${secret}\n`, { mode: 0o600 });
    return path;
  }
}

function parsePeer(line: string): PeerState {
  const [publicKey = '', psk, endpoint, allowedIps, handshake, rx, tx, keepalive] = line.split('\t');
  return {
    publicKey,
    presharedKey: known(psk),
    endpoint: known(endpoint),
    allowedIps: known(allowedIps)?.split(',') ?? [],
    latestHandshake: Number(handshake),
    rxBytes: Number(rx),
    txBytes: Number(tx),
    persistentKeepaliveSeconds: keepalive === 'off' ? 0 : Number(keepalive),
  };
}

function known(word: string | undefined): string | undefined {
  return word === '(none)' ? undefined : word;
}
