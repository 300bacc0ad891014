import { NO_ZONES, parseEndpoint } from '../../control/endpoint-text.js';
import { formatKey, parseKey } from '../../control/key-text.js';
import type { Tunnel } from '../../host/tunnel.js';
import type { Endpoint } from '../../wire/endpoint.js';
import type { MapEntry } from '../map/messages.js';
import { peerEndpoint } from '../paths/agent-path-socket.js';
import { HUB_NUMBER, type PeerPaths } from '../paths/peer-paths.js';
import type { KnownMap } from './known-map.js';
import type { NodeState } from './node-state.js';
import { RelayedSessions } from './relayed-sessions.js';
import { HUB, peerChanges, type WantedPeer, wantedPeers } from './wanted-peers.js';

/** The peers of an agent's device, as the map wants them, each pinned to a number that stands for the ways to it. */
export class AgentDevice {
  readonly relayed: RelayedSessions;
  readonly #tunnel: Tunnel;
  readonly #paths: PeerPaths;
  readonly #map: KnownMap;
  /** Public keys that nodes have changed to, with a session: by node. */
  readonly #movedTo = new Map<string, string>();
  /** Entries whose paths are as they say. */
  readonly #applied = new Map<string, MapEntry>();
  #peers: readonly WantedPeer[] = [];

  constructor(tunnel: Tunnel, paths: PeerPaths, map: KnownMap) {
    this.#tunnel = tunnel;
    this.#paths = paths;
    this.#map = map;
    this.relayed = new RelayedSessions({
      tunnel,
      entries: () => map.entries.values(),
      views: () => paths.views(),
      nowUnixMs: Date.now,
    });
  }

  /** Makes paths and peers what the map says. @param exitNode Name or id of the node that all other traffic goes out by. */
  async applyMap({ id, hub, mode }: NodeState, exitNode: string | undefined): Promise<void> {
    const entries = [...this.#map.entries.values()].filter(({ record }) => record.id !== id);
    const wanted = wantedPeers({ hub, mode, entries, exitNode: this.#findNode(exitNode), movedTo: this.#movedTo });
    this.#updatePaths(wanted);
    const nodes = new Map(wanted.map(({ publicKey, node }) => [publicKey, node]));
    const changes = peerChanges(this.#peers, wanted).map((change) =>
      change.isRemoval ? change : { ...change, endpoint: this.#endpointOf(nodes.get(formatKey(change.publicKey))!) },
    );
    if (changes.length > 0) await this.#tunnel.apply({ replacePeers: false, peers: changes });
    for (const { publicKey, endpoint } of changes)
      if (endpoint !== undefined) this.#tunnel.setEndpoint(publicKey, endpoint, 'pinned');
    for (const { node, publicKey, allowedIps } of wanted)
      if (allowedIps.length === 0) this.#letStandFor(node, publicKey, wanted);
    this.#peers = wanted;
  }

  /** Notes a session. @returns Whether a node has changed to its next key by it, so that the map has to be applied again. */
  hasMoved(publicKey: string): boolean {
    const entry = [...this.#map.entries.values()].find(({ record }) => record.next?.publicKey === publicKey);
    if (entry === undefined || this.#movedTo.get(entry.record.id) === publicKey) return false;
    this.#movedTo.set(entry.record.id, publicKey);
    this.#applied.delete(entry.record.id);
    return true;
  }

  /** A persistent keepalive that is switched on is sent at once: the hub learns where this host is. */
  async greetHub(): Promise<void> {
    const hub = this.#peers.find(({ node }) => node === HUB);
    if (hub === undefined) return;
    const [off, on] = peerChanges([], [{ ...hub, keepalive: 0 }, hub]);
    await this.#tunnel.apply({ replacePeers: false, peers: [{ ...off!, isUpdateOnly: true }] });
    await this.#tunnel.apply({ replacePeers: false, peers: [{ ...on!, isUpdateOnly: true }] });
  }

  /** Does the same for callers that do not wait. A tunnel that was closed meanwhile greets nobody. */
  greetHubSoon(): void {
    void this.greetHub().catch(() => {});
  }

  #letStandFor(node: string, nextKey: string, wanted: readonly WantedPeer[]): void {
    const present = wanted.find((peer) => peer.node === node && peer.allowedIps.length > 0)?.publicKey;
    if (present !== undefined) this.#tunnel.letStandFor(parseKey(nextKey, 'next key'), parseKey(present, 'public key'));
  }

  #updatePaths(wanted: readonly WantedPeer[]): void {
    const nodes = new Set(wanted.map(({ node }) => node));
    for (const { node } of this.#peers) {
      if (nodes.has(node)) continue;
      this.#paths.remove(node);
      this.#applied.delete(node);
    }
    for (const { node, publicKey, allowedIps } of wanted) {
      if (node === HUB || allowedIps.length === 0) continue; // a next key has no addresses yet
      const entry = this.#map.entries.get(node)!;
      if (this.#applied.get(node) === entry) continue;
      this.#applied.set(node, entry);
      const { endpoint } = entry;
      const fixed = endpoint === undefined ? undefined : parseEndpoint(endpoint, NO_ZONES);
      this.#paths.put(node, parseKey(publicKey, 'public key'), fixed);
    }
  }

  #endpointOf(node: string): Endpoint {
    return peerEndpoint(node === HUB ? HUB_NUMBER : this.#paths.numberOf(node));
  }

  #findNode(name: string | undefined): string | undefined {
    if (name === undefined) return undefined;
    return [...this.#map.entries.values()].find(({ record }) => record.id === name || record.name === name)?.record.id;
  }
}
