import { formatEndpoint, NO_ZONES } from '../../control/endpoint-text.js';
import { parseKey } from '../../control/key-text.js';
import type { Crypto } from '../../core/ports.js';
import type { WrapSocket } from '../../gateway/gateway-engine.js';
import type { Clock } from '../../host/clock.js';
import type { DatagramSocket } from '../../host/datagram-socket.js';
import type { Tunnel } from '../../host/tunnel.js';
import { type Endpoint, FAMILY_PATH } from '../../wire/endpoint.js';
import { CarrierSocket } from '../carrier/carrier-socket.js';
import { ProbeSocket } from '../probes/probe-socket.js';
import type { RelayNode } from '../relay/relay-node.js';
import { RelaySocket } from '../relay/relay-socket.js';
import { RelayTable } from '../relay/relay-table.js';
import type { HeardEndpoint } from './known-endpoints.js';
import type { NodeDevice } from './node-devices.js';

const EXPIRE_MS = 60_000;

export interface HubRelayOptions {
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly neighbours: (id: string) => Iterable<string>;
  readonly sees: (a: string, b: string) => boolean;
}

/**
 * The relay of a hub on the socket of its engine: carriers below, then probes, then what goes on to other nodes.
 *
 * The address of a node is that of its last authentic message to the hub.
 */
export class HubRelay {
  readonly table: RelayTable;
  readonly #clock: Clock;
  readonly #byKey = new Map<string, string>();
  readonly #keys = new Map<string, readonly string[]>();
  /** Keys of nodes that wait for their signature, by id: their probes are answered, and nothing is relayed for them. */
  readonly #waiting = new Map<string, string>();
  /** Called when the public address of a node has changed. */
  onMoved: (id: string) => void = () => {};
  #findTunnel: () => Tunnel | undefined = () => undefined;
  #tunnel: Tunnel | undefined;
  #probes: ProbeSocket | undefined;
  #carriers: CarrierSocket | undefined;
  #expiry: NodeJS.Timeout | undefined;

  constructor({ crypto, clock, neighbours, sees }: HubRelayOptions) {
    this.#clock = clock;
    this.table = new RelayTable({
      crypto,
      neighbours,
      sees,
      isOwnIndex: (index) => this.#tunnel?.hasIndex(index) ?? false,
    });
  }

  /** For the engine. */
  readonly wrapSocket: WrapSocket = (udp: DatagramSocket, tunnel) => {
    const carriers = new CarrierSocket(udp);
    const probes = new ProbeSocket(carriers);
    const socket = new RelaySocket(probes, this.table, () => this.#clock.nowMs());
    this.#carriers = carriers;
    this.#probes = probes;
    this.#findTunnel = tunnel;
    return socket;
  };

  get carriers(): CarrierSocket {
    return this.#carriers!;
  }

  get probes(): ProbeSocket {
    return this.#probes!;
  }

  /** Begins to follow the engine's tunnel, which is there and has its key by now. */
  start(): void {
    const tunnel = this.#findTunnel()!;
    this.#tunnel = tunnel;
    this.table.setOwnKey(tunnel.state.publicKey!);
    void this.#follow(tunnel);
    this.#expiry = setInterval(() => this.table.expire(this.#clock.nowMs()), EXPIRE_MS).unref();
  }

  close(): void {
    clearInterval(this.#expiry);
  }

  putNode({ id, publicKey, nextPublicKey, limits }: NodeDevice): void {
    const keys = nextPublicKey === undefined ? [publicKey] : [publicKey, nextPublicKey];
    for (const key of this.#keys.get(id) ?? []) this.#byKey.delete(key);
    for (const key of keys) this.#byKey.set(key, id);
    this.#keys.set(id, keys);
    this.#waiting.delete(id);
    const bytes = keys.map((key) => parseKey(key, 'public key'));
    this.table.putNode(id, bytes, limits.upBitsPerSecond);
    const peer = this.#tunnel?.peer(bytes[0]!);
    if (this.table.node(id)?.endpoint === undefined && peer?.heardFrom !== undefined)
      this.table.setEndpoint(id, peer.heardFrom, this.#clock.nowMs());
  }

  putWaiting({ id, publicKey }: NodeDevice): void {
    this.removeNode(id);
    this.#waiting.set(id, publicKey);
  }

  removeNode(id: string): void {
    this.#waiting.delete(id);
    for (const key of this.#keys.get(id) ?? []) this.#byKey.delete(key);
    this.#keys.delete(id);
    this.table.removeNode(id);
  }

  /** Begins a handshake with a node where it may be. The relay knows nothing of that place until the node answers from there. */
  greet(id: string, endpoint: Endpoint): void {
    const [key] = this.#keys.get(id) ?? [];
    if (key === undefined || this.table.node(id)?.endpoint !== undefined) return;
    this.#tunnel?.setEndpoint(parseKey(key, 'public key'), endpoint, 'follow');
    this.renew(id);
  }

  /** Begins a handshake with a node that has a session. */
  renew(id: string): void {
    const [key] = this.#keys.get(id) ?? [];
    if (key !== undefined) this.#tunnel?.requestHandshake(parseKey(key, 'public key'));
  }

  /** Where a node is. Absent: unknown, or behind a carrier. */
  observed(id: string): string | undefined {
    const endpoint = this.table.node(id)?.endpoint;
    if (endpoint === undefined || endpoint.family === FAMILY_PATH) return undefined;
    return formatEndpoint(endpoint, NO_ZONES);
  }

  /** Lists where nodes are by UDP, and when each proved it. */
  *whereabouts(): Iterable<readonly [id: string, HeardEndpoint]> {
    for (const [id, keys] of this.#keys)
      for (const key of keys) {
        const peer = this.#tunnel?.peer(parseKey(key, 'public key'));
        const endpoint = peer?.heardFrom;
        if (endpoint === undefined || endpoint.family === FAMILY_PATH || peer!.lastHandshakeUnixMs === 0) continue;
        yield [id, { endpoint: formatEndpoint(endpoint, NO_ZONES), heardUnixMs: peer!.lastHandshakeUnixMs }];
      }
  }

  /** The id of the node with a key. */
  nodeOfKey(publicKey: Uint8Array): string | undefined {
    return this.#byKey.get(Buffer.from(publicKey).toString('base64'));
  }

  /**
   * Lists the keys of nodes that a probe from an address may be of: those there, those at other ports there, then those that could be anywhere,
   * since they are carried or have not spoken yet, and those that wait for their signature.
   */
  *keysAt(endpoint: Endpoint): Iterable<Uint8Array> {
    for (const id of this.#nodesAt(endpoint)) {
      const [key] = this.#keys.get(id) ?? [];
      if (key !== undefined) yield parseKey(key, 'public key');
    }
    for (const key of this.#waiting.values()) yield parseKey(key, 'public key');
  }

  *#nodesAt(endpoint: Endpoint): Iterable<string> {
    const at = this.table.nodeAt(endpoint);
    if (at !== undefined) yield at.id;
    const isHere = ({ endpoint: other }: RelayNode): boolean =>
      other !== undefined && Buffer.compare(other.address, endpoint.address) === 0;
    const isCarried = ({ endpoint: other }: RelayNode): boolean => other?.family === FAMILY_PATH;
    const isSilent = ({ endpoint: other }: RelayNode): boolean => other === undefined;
    for (const test of [isHere, isCarried, isSilent])
      for (const node of this.table.nodes) if (node !== at && test(node)) yield node.id;
  }

  async #follow(tunnel: Tunnel): Promise<void> {
    for await (const { kind, peer } of tunnel.events) {
      if (peer === undefined || (kind !== 'handshake' && kind !== 'roamed')) continue;
      const id = this.nodeOfKey(peer.publicKey);
      if (id === undefined || peer.heardFrom === undefined) continue;
      this.table.setEndpoint(id, peer.heardFrom, this.#clock.nowMs());
      this.onMoved(id);
    }
  }
}
