import type { RunningGateway } from '../../gateway/service/running-gateway.js';
import type { AgentMessage } from '../map/messages.js';
import { fromBase64, keySignedBytes } from '../records/node-record.js';
import { isSignedBy } from '../records/signing.js';
import type { AgentConnection } from './control-server.js';
import { isAgent } from './node-devices.js';
import type { NodeDirectory } from './node-directory.js';
import { Punches, type PunchNode } from './punches.js';

type Rotation = Extract<AgentMessage, { type: 'rotate' }>;

export interface AgentRequestsOptions {
  readonly gateway: RunningGateway;
  readonly nodes: NodeDirectory;
  readonly connectionOf: (id: string) => AgentConnection | undefined;
  /** Where a node is, as the hub sees it. */
  readonly observed: (id: string) => string | undefined;
  readonly nowMs: () => number;
}

/** Answers what agents ask of the hub: to be punched through to another one, a new key, routes, to be let go. */
export class AgentRequests {
  readonly #options: AgentRequestsOptions;
  readonly #punches = new Punches();

  constructor(options: AgentRequestsOptions) {
    this.#options = options;
  }

  /** Asks both ends to send to each other, timed so that their probes cross. */
  punch(connection: AgentConnection, other: string, attempt: number): void {
    const { nodes, connectionOf, nowMs } = this.#options;
    const theirs = connectionOf(other);
    if (theirs === undefined || !nodes.seesRecord(connection.node, other)) return;
    this.#punches.punch(this.#punchNode(connection), this.#punchNode(theirs), attempt, nowMs());
  }

  /** Takes the next key of a node, if the node has signed it. The node changes to it once others may know it. */
  async rotate(id: string, { publicKey, keySeq, signature }: Rotation): Promise<void> {
    const { gateway, nodes, connectionOf } = this.#options;
    const device = nodes.devices.get(id);
    if (device === undefined || !isAgent(device)) return;
    const signed = keySignedBytes(fromBase64(nodes.mesh.networkId), id, publicKey, keySeq);
    const isNext = keySeq === (device.node.keySeq ?? 0) + 1;
    if (!isNext || !isSignedBy(fromBase64(device.node.identityKey), signed, fromBase64(signature))) return;
    const changed = { ...device, nextPublicKey: publicKey, node: { ...device.node, nextKeySignature: signature } };
    const plan = { devices: [changed] };
    const operation = 'node.rotate';
    await gateway.transact(() => ({ plan, operation, object: id, result: undefined }), `node:${id}`);
    // Peers learn the next key by the map first.
    connectionOf(id)?.tell({ type: 'rotated', keySeq });
  }

  /** Notes the ranges that a node offers to lead to. One that it no longer offers is not led to any more. */
  async offer(id: string, routes: readonly string[]): Promise<void> {
    const { gateway, nodes } = this.#options;
    const device = nodes.devices.get(id);
    if (device === undefined) return;
    const offeredRoutes = routes.filter((route) => !device.node.routes.includes(route));
    const kept = device.node.routes.filter((route) => routes.includes(route));
    if (isSame(offeredRoutes, device.node.offeredRoutes) && isSame(kept, device.node.routes)) return;
    const plan = { devices: [{ ...device, node: { ...device.node, offeredRoutes, routes: kept } }] };
    const details = { offeredRoutes };
    await gateway.transact(
      () => ({ plan, operation: 'node.offer', object: id, details, result: undefined }),
      `node:${id}`,
    );
  }

  async leave(id: string): Promise<void> {
    await this.#options.gateway.deleteDevice(id, `node:${id}`);
  }

  #punchNode(connection: AgentConnection): PunchNode {
    return {
      id: connection.node,
      report: connection.report,
      observed: this.#options.observed(connection.node),
      send: (message) => connection.tell(message),
    };
  }
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
