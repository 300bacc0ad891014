import type { RunningGateway } from '../../gateway/service/running-gateway.js';
import type { AgentConnection } from './control-server.js';
import type { HubRelay } from './hub-relay.js';
import type { MapPublisher } from './map-publisher.js';
import { isLiveNode, type NodeDevice } from './node-devices.js';
import type { NodeDirectory } from './node-directory.js';

const FAREWELL_MS = 50;
const REMOVED = 'this node was removed from the network';

export interface NodeChangesOptions {
  readonly gateway: RunningGateway;
  readonly nodes: NodeDirectory;
  readonly relay: HubRelay;
  readonly publisher: MapPublisher;
  readonly connectionOf: (id: string) => AgentConnection | undefined;
  readonly onForgotten: (id: string) => void;
  readonly nowUnixMs: () => number;
}

/** Follows the store: directory, relay, maps and connections become what its devices and rules say. */
export class NodeChanges {
  readonly #options: NodeChangesOptions;

  constructor(options: NodeChangesOptions) {
    this.#options = options;
  }

  async follow(signal: AbortSignal): Promise<void> {
    for await (const event of this.#options.gateway.events(signal)) {
      if (event.kind === 'device-changed') this.#changed(event.device.device.id);
      else if (event.kind === 'device-removed') this.#changed(event.id);
      else if (event.kind === 'rules-changed' || event.kind === 'settings-changed') this.readAll();
    }
  }

  readAll(): void {
    const { gateway, nodes, nowUnixMs } = this.#options;
    const { mesh } = gateway.settings;
    if (mesh !== undefined) nodes.mesh = mesh;
    const live = gateway.state().devices.filter((device) => isLiveNode(device, nowUnixMs()));
    const ids = new Set(live.map(({ id }) => id));
    for (const id of [...nodes.devices.keys()]) if (!ids.has(id)) this.#forget(id);
    for (const device of live) this.#remember(device as NodeDevice);
    this.#refresh();
    this.#publishAll();
  }

  /** The time of a node is over, which no change of the store tells. */
  expired(id: string): void {
    const { publisher, nowUnixMs } = this.#options;
    this.#forget(id);
    this.#refresh();
    publisher.changed([id], nowUnixMs());
  }

  /** Tells agents that they are removed, while they still can be told. */
  async sayFarewell(ids: readonly string[]): Promise<void> {
    const leaving = ids.flatMap((id) => this.#options.connectionOf(id) ?? []);
    for (const connection of leaving) connection.end(REMOVED);
    if (leaving.length > 0) await new Promise((resolve) => setTimeout(resolve, FAREWELL_MS));
  }

  #changed(id: string): void {
    const { gateway, nodes, publisher, nowUnixMs } = this.#options;
    const before = nodes.devices.get(id);
    const device = gateway.device(id)?.device;
    if (device === before) return;
    const wasWaiting = before !== undefined && nodes.isWaiting(before);
    if (isLiveNode(device, nowUnixMs())) this.#remember(device);
    else if (before === undefined) return;
    else this.#forget(id);
    const now = nodes.devices.get(id);
    this.#refresh();
    if (gateway.rules().length > 0 && hasOtherTies(before, now)) this.#publishAll();
    else publisher.changed([id], nowUnixMs());
    if (wasWaiting && now !== undefined) publisher.sendFull(id, nowUnixMs());
  }

  #remember(device: NodeDevice): void {
    const { nodes, relay } = this.#options;
    nodes.put(device);
    if (nodes.isWaiting(device)) relay.putWaiting(device);
    else relay.putNode(device);
  }

  #forget(id: string): void {
    const { nodes, relay, connectionOf, onForgotten } = this.#options;
    nodes.remove(id);
    relay.removeNode(id);
    connectionOf(id)?.end(REMOVED);
    onForgotten(id);
  }

  #refresh(): void {
    const { gateway, nodes, relay } = this.#options;
    nodes.changed();
    if (gateway.rules().length > 0) relay.table.forgetHidden();
  }

  #publishAll(): void {
    const { nodes, publisher, nowUnixMs } = this.#options;
    publisher.changedForAll([...nodes.devices.keys()], nowUnixMs());
  }
}

/** Tests whether a node that stays may see others, or be seen by others, than before. */
function hasOtherTies(before: NodeDevice | undefined, now: NodeDevice | undefined): boolean {
  return before !== undefined && now !== undefined && tiesOf(before) !== tiesOf(now);
}

/** The members of a device that decide about its visibility. */
function tiesOf({ tags, switches, addresses, node }: NodeDevice): string {
  return JSON.stringify([tags, switches, addresses, node.knows]);
}
