import { generateKeyPairSync } from 'node:crypto';
import { parseEndpoint } from '../../control/endpoint-text.js';
import { parseIpPrefix } from '../../control/ip-text.js';
import { SystemZoneNames } from '../../control/zone-names.js';
import type { PeerChange } from '../../core/configuration.js';
import type { Commands } from '../../host/net/commands.js';
import { DemoHost } from './demo-host.js';

export const LEFT = { outer: '192.0.2.1', inner4: '10.77.0.1', inner6: 'fd77::1' } as const;
export const RIGHT = { outer: '192.0.2.2', inner4: '10.77.0.2', inner6: 'fd77::2' } as const;
export const LISTEN_PORT = 51_820;

export const TOPOLOGY = `
     left                                            right
  ┌───────────────────┐                         ┌───────────────────┐
  │ wiretyped         │   the tunnel            │         wiretyped │
  │ 10.77.0.1 fd77::1 ├╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌┤ 10.77.0.2 fd77::2 │
  │                   │                         │                   │
  │ 192.0.2.1:51820   ├─────────────────────────┤   192.0.2.2:51820 │
  └───────────────────┘   a cable (veth)        └───────────────────┘
`;

/** The two hosts of the demo, with a cable between them and a tunnel over it. */
export class DemoNetwork {
  readonly #commands: Commands;
  readonly #hosts: DemoHost[] = [];

  constructor(commands: Commands) {
    this.#commands = commands;
  }

  get left(): DemoHost {
    return this.#hosts[0]!;
  }

  get right(): DemoHost {
    return this.#hosts[1]!;
  }

  get hosts(): readonly DemoHost[] {
    return this.#hosts;
  }

  /** Makes both hosts and joins them by a cable. @throws {WireGuardError} ERR_COMMAND_FAILED */
  async build(): Promise<void> {
    for (const title of ['left', 'right']) this.#hosts.push(await DemoHost.create(this.#commands, title));
    const { left, right } = this;
    await left.ip(`link add eth0 type veth peer name eth0 netns ${right.namespace}`);
    for (const [host, { outer }] of [
      [left, LEFT],
      [right, RIGHT],
    ] as const) {
      await host.ip(`address add ${outer}/24 dev eth0`);
      await host.ip('link set eth0 up');
    }
  }

  /** Starts both daemons, gives each its key and the other as its peer, and brings the interfaces up. */
  async join(): Promise<void> {
    await Promise.all(this.#hosts.map((host) => host.startDaemon()));
    const leftKeys = generateKeys();
    const rightKeys = generateKeys();
    await configure(this.left, leftKeys.privateKey, peer(rightKeys.publicKey, RIGHT));
    await configure(this.right, rightKeys.privateKey, peer(leftKeys.publicKey, LEFT));
    await bringUp(this.left, LEFT);
    await bringUp(this.right, RIGHT);
  }

  /** Starts the daemon on the left alone, for a peer that is a program. @returns The public key of the left. */
  async joinLeft(rightPublicKey: Uint8Array): Promise<Uint8Array> {
    await this.left.startDaemon();
    const { privateKey, publicKey } = generateKeys();
    await configure(this.left, privateKey, peer(rightPublicKey, RIGHT));
    await bringUp(this.left, LEFT);
    return publicKey;
  }

  /** Removes everything, whatever state it is in. */
  async close(): Promise<void> {
    await Promise.all(this.#hosts.splice(0).map((host) => host.close()));
  }
}

type Addresses = typeof LEFT | typeof RIGHT;

function peer(publicKey: Uint8Array, { outer, inner4, inner6 }: Addresses): PeerChange {
  const allowedIps = [`${inner4}/32`, `${inner6}/128`].map((text) => ({ ...parseIpPrefix(text)!, isRemoval: false }));
  const endpoint = parseEndpoint(`${outer}:${LISTEN_PORT}`, new SystemZoneNames())!;
  return { publicKey, isRemoval: false, isUpdateOnly: false, replaceAllowedIps: true, allowedIps, endpoint };
}

async function configure(host: DemoHost, privateKey: Uint8Array, other: PeerChange): Promise<void> {
  try {
    await host.control.set({ privateKey, listenPort: LISTEN_PORT, replacePeers: true, peers: [other] });
  } finally {
    privateKey.fill(0);
  }
}

async function bringUp(host: DemoHost, { inner4, inner6 }: Addresses): Promise<void> {
  await host.ip(`address add ${inner4}/24 dev ${host.interfaceName}`);
  await host.ip(`address add ${inner6}/64 dev ${host.interfaceName} nodad`);
  await host.ip(`link set ${host.interfaceName} up`);
}

/** Generates a key pair. The caller clears the private key. */
function generateKeys(): { privateKey: Uint8Array; publicKey: Uint8Array } {
  const { privateKey, publicKey } = generateKeyPairSync('x25519');
  const der = privateKey.export({ type: 'pkcs8', format: 'der' });
  const keys = {
    privateKey: Uint8Array.from(der.subarray(-32)),
    publicKey: Uint8Array.from(publicKey.export({ type: 'spki', format: 'der' }).subarray(-32)),
  };
  der.fill(0);
  return keys;
}
