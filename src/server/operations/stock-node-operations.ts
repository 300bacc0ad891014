import * as v from 'valibot';

import { newDevice } from '../../gateway/service/device-changes.js';
import type { MeshHub } from '../../mesh/hub/mesh-hub.js';
import { isAgent, type NodeDevice } from '../../mesh/hub/node-devices.js';
import { peerSection, stockFile } from '../../mesh/hub/stock-file.js';
import { ApiError } from '../server-errors.js';
import { Id, Key, Name, Tags } from './device-schemas.js';
import { hubOf, NodeBody, nodeBody } from './mesh-schemas.js';
import { type CallContext, operation } from './operation.js';

const MAX_PEERS_IN_FILE = 256;
const MAX_WITH = 32;

const NodeWithFile = v.strictObject({
  node: NodeBody,
  file: v.string(),
  /** Sections that the files of other stock nodes lack, to talk end to end with this one. */
  introductions: v.array(v.strictObject({ name: v.string(), section: v.string() })),
});

/** Stock nodes: their files name agents, and stock nodes that were introduced. */
export const STOCK_NODE_OPERATIONS = [
  operation({
    id: 'node.addStock',
    method: 'POST',
    path: '/mesh/nodes',
    scope: 'devices:write',
    summary:
      'Adds a stock node, such as a phone, and returns its file without the private key. It talks end to end with the nodes that the file names.',
    input: v.strictObject({
      name: Name,
      publicKey: Key,
      tags: v.optional(Tags, []),
      /** Ids of the nodes in its file. Absent: all agents that it sees. */
      peers: v.optional(v.pipe(v.array(Id), v.maxLength(MAX_PEERS_IN_FILE))),
      /** Ids of stock nodes to talk with end to end: their files need the section that is returned. */
      with: v.optional(v.pipe(v.array(Id), v.maxLength(MAX_WITH)), []),
      /** Public `HOST:PORT` of a node that can be reached directly. */
      endpoint: v.optional(v.pipe(v.string(), v.regex(/^(?:\[[0-9a-fA-F:]+\]|[0-9.]+):\d{1,5}$/))),
      /** All its traffic goes out by the hub. */
      isHubExit: v.optional(v.boolean(), false),
    }),
    output: NodeWithFile,
    status: 201,
    isRehearsed: false,
    handler: async (given, context) => {
      const hub = hubOf(context);
      const { gateway, nowUnixMs } = context.parts;
      const { name, publicKey, tags, peers, endpoint, isHubExit } = given;
      const added = await gateway.transact((state) => {
        const plain = newDevice({ name, publicKey, tags }, state.settings, state.devices, nowUnixMs());
        const node = { routes: [], offeredRoutes: [], ...(endpoint === undefined ? {} : { endpoint }) };
        const { device, known, acquainted } = introduce({ ...plain, node }, given.with, hub, peers);
        return {
          plan: { devices: [device, ...acquainted] },
          operation: 'node.addStock',
          object: device.id,
          details: { name },
          result: { device, known },
        };
      }, context.caller.actor);
      return answer({ ...added, isHubExit }, context);
    },
  }),
  operation({
    id: 'node.reissue',
    method: 'POST',
    path: '/mesh/nodes/:id/file',
    scope: 'devices:write',
    summary:
      'Takes a new key for a stock node, and returns its file with the nodes of today. The old key goes on until the new one is used.',
    input: v.strictObject({ id: Id, publicKey: Key, isHubExit: v.optional(v.boolean(), false) }),
    output: NodeWithFile,
    isRehearsed: false,
    handler: async ({ id, publicKey, isHubExit }, context) => {
      const hub = hubOf(context);
      const reissued = await context.parts.gateway.transact((state) => {
        const found = state.devices.find((each) => each.id === id);
        if (found?.node === undefined || found.node.identityKey !== undefined)
          throw new ApiError('ERR_NOT_FOUND', 'there is no such stock node');
        const { device, known } = introduce({ ...found, node: found.node, nextPublicKey: publicKey }, [], hub);
        return { plan: { devices: [device] }, operation: 'node.reissue', object: id, result: { device, known } };
      }, context.caller.actor);
      return answer({ ...reissued, isHubExit }, context);
    },
  }),
];

interface Issued {
  readonly device: NodeDevice;
  readonly known: readonly NodeDevice[];
  readonly isHubExit: boolean;
}

/**
 * Makes a stock node know the agents that it sees, or those of `peers`, and stock nodes as before and as `others` names them.
 *
 * @returns The node, the nodes of its file, and the stock nodes that know it from now on.
 * @throws {ApiError} ERR_NOT_FOUND: there is no such node. ERR_INPUT: the rules hide it.
 */
function introduce(device: NodeDevice, others: readonly string[], hub: MeshHub, peers?: readonly string[]) {
  const seen = hub.nodes.seenBy(device);
  for (const id of others) requireSeen(id, seen, hub);
  const wanted = new Set([...(device.node.knows ?? []), ...others]);
  const isKnown = (node: NodeDevice): boolean =>
    wanted.has(node.id) || (peers === undefined ? isAgent(node) : peers.includes(node.id));
  const known = seen.filter(isKnown).slice(0, MAX_PEERS_IN_FILE);
  const acquainted = known
    .filter((other) => !isAgent(other) && others.includes(other.id) && !other.node.knows?.includes(device.id))
    .map((other) => ({ ...other, node: { ...other.node, knows: [...(other.node.knows ?? []), device.id] } }));
  const knows = known.map(({ id }) => id);
  return { device: { ...device, node: { ...device.node, knows } }, known, acquainted };
}

function requireSeen(id: string, seen: readonly NodeDevice[], hub: MeshHub): void {
  const other = hub.nodes.devices.get(id);
  if (other === undefined) throw new ApiError('ERR_NOT_FOUND', `with: there is no node ${id}`);
  if (!seen.includes(other))
    throw new ApiError(
      'ERR_INPUT',
      `with: the rules let neither reach the other; allow it to or from ${other.name} first`,
    );
}

function answer({ device, known, isHubExit }: Issued, context: CallContext) {
  const hub = hubOf(context);
  const { settings } = context.parts.gateway;
  const { addresses: hubAddresses, publicKey: hubKey } = hub.info();
  const publicKey = device.nextPublicKey ?? device.publicKey;
  const section = peerSection({ ...device, publicKey }, settings.endpoint)
    .join('\n')
    .trimStart();
  return {
    node: nodeBody(device, hub, context),
    file: stockFile({ device, settings, hubKey, hubAddresses, peers: known, isHubExit }),
    introductions: known.filter((node) => !isAgent(node)).map(({ name }) => ({ name, section })),
  };
}
