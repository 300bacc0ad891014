import * as v from 'valibot';

import type { GatewayDevice } from '../../gateway/gateway-model.js';
import { newDevice } from '../../gateway/service/device-changes.js';
import { isAgent, type NodeDevice } from '../../mesh/hub/node-devices.js';
import { isToBeSigned, wantedFields } from '../../mesh/hub/record-maker.js';
import { stockFile } from '../../mesh/hub/stock-file.js';
import { fromBase64, networkSignedBytes } from '../../mesh/records/node-record.js';
import { isSignedBy } from '../../mesh/records/signing.js';
import { ApiError } from '../server-errors.js';
import { Id, Key, Name, Nothing, Tags } from './device-schemas.js';
import { hubOf, NodeBody, nodeBody, SignatureBody } from './mesh-schemas.js';
import { type CallContext, operation } from './operation.js';

const MAX_PEERS_IN_FILE = 256;
const NodeWithFile = v.strictObject({ node: NodeBody, file: v.string() });

const Unsigned = v.strictObject({
  id: Id,
  name: v.string(),
  addresses: v.array(v.string()),
  tags: v.array(v.string()),
  routes: v.array(v.string()),
  identityKey: v.optional(v.string()),
  wireguardKey: v.optional(v.string()),
  /** The serial that was signed last; the next one is greater. */
  serial: v.number(),
});

/** Stock nodes and signatures. */
export const MESH_NODE_OPERATIONS = [
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
      /** Ids of the nodes in its file. Absent: all agents. */
      peers: v.optional(v.pipe(v.array(Id), v.maxLength(MAX_PEERS_IN_FILE))),
      /** Public `HOST:PORT` of a node that can be reached directly. */
      endpoint: v.optional(v.pipe(v.string(), v.regex(/^(?:\[[0-9a-fA-F:]+\]|[0-9.]+):\d{1,5}$/))),
      /** All its traffic goes out by the hub. */
      isHubExit: v.optional(v.boolean(), false),
    }),
    output: NodeWithFile,
    status: 201,
    isRehearsed: false,
    handler: async ({ name, publicKey, tags, peers, endpoint, isHubExit }, context) => {
      const hub = hubOf(context);
      const { gateway, nowUnixMs } = context.parts;
      const others = [...hub.nodes.devices.values()].filter((node) =>
        peers === undefined ? isAgent(node) : peers.includes(node.id),
      );
      const known = others.slice(0, MAX_PEERS_IN_FILE);
      const added = await gateway.transact((state) => {
        const device: GatewayDevice = {
          ...newDevice({ name, publicKey, tags }, state.settings, state.devices, nowUnixMs()),
          node: {
            routes: [],
            offeredRoutes: [],
            knows: known.map(({ id }) => id),
            ...(endpoint === undefined ? {} : { endpoint }),
          },
        };
        // Other stock nodes do not know it, unless their files name it: the list of each is its own.
        return {
          plan: { devices: [device] },
          operation: 'node.addStock',
          object: device.id,
          details: { name },
          result: device,
        };
      }, context.caller.actor);
      const device = added as NodeDevice;
      const { addresses, publicKey: hubKey } = hub.info();
      const file = stockFile({
        device,
        settings: gateway.settings,
        hubKey,
        hubAddresses: addresses,
        peers: known,
        isHubExit,
      });
      return { node: nodeBody(device, hub, context), file };
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
      const { gateway } = context.parts;
      const known = [...hub.nodes.devices.values()]
        .filter((node) => isAgent(node) && node.id !== id)
        .slice(0, MAX_PEERS_IN_FILE);
      const device = await gateway.transact((state) => {
        const found = state.devices.find((each) => each.id === id);
        if (found?.node === undefined || found.node.identityKey !== undefined)
          throw new ApiError('ERR_NOT_FOUND', 'there is no such stock node');
        const changed = {
          ...found,
          nextPublicKey: publicKey,
          node: { ...found.node, knows: known.map((node) => node.id) },
        };
        return { plan: { devices: [changed] }, operation: 'node.reissue', object: id, result: changed as NodeDevice };
      }, context.caller.actor);
      const { addresses, publicKey: hubKey } = hub.info();
      const file = stockFile({
        device,
        settings: gateway.settings,
        hubKey,
        hubAddresses: addresses,
        peers: known,
        isHubExit,
      });
      return { node: nodeBody(device, hub, context), file };
    },
  }),
  operation({
    id: 'node.unsigned',
    method: 'GET',
    path: '/mesh/unsigned',
    scope: 'devices:read',
    summary: 'Lists the nodes whose record the administrator has not signed as it is now. Mode locked only.',
    input: Nothing,
    output: v.strictObject({ networkId: v.string(), nodes: v.array(Unsigned) }),
    handler: async (_, context) => {
      const hub = hubOf(context);
      const nodes =
        hub.mesh.mode === 'auto'
          ? []
          : [...hub.nodes.devices.values()].filter((device) => isToBeSigned(device, Date.now())).map(unsignedBody);
      return { networkId: hub.mesh.networkId, nodes };
    },
  }),
  operation({
    id: 'node.sign',
    method: 'POST',
    path: '/mesh/signatures',
    scope: 'devices:write',
    summary: "Takes the administrator's signatures of records, as they are now.",
    input: v.strictObject({ signatures: v.pipe(v.array(SignatureBody), v.maxLength(1_000)) }),
    output: v.strictObject({ signed: v.array(Id) }),
    isRehearsed: false,
    handler: async ({ signatures }, context) => {
      const { networkId, signingKey } = hubOf(context).mesh;
      return await context.parts.gateway.transact((state) => {
        const devices = signatures.map((given) => {
          const device = state.devices.find(({ id }) => id === given.id);
          if (device?.node === undefined) throw new ApiError('ERR_NOT_FOUND', `there is no node ${given.id}`);
          return signed(device as NodeDevice, given, networkId, signingKey);
        });
        const ids = devices.map(({ id }) => id);
        return { plan: { devices }, operation: 'node.sign', details: { ids }, result: { signed: ids } };
      }, context.caller.actor);
    },
  }),
  operation({
    id: 'node.explain',
    method: 'GET',
    path: '/mesh/nodes/:id/explain',
    scope: 'devices:read',
    summary: 'Says what the relay has seen between a node and those it has talked to of late.',
    input: v.strictObject({ id: Id }),
    output: v.strictObject({
      node: NodeBody,
      pairs: v.array(
        v.strictObject({
          with: Id,
          name: v.string(),
          code: v.picklist(['answered', 'no-answer', 'away']),
          initiations: v.number(),
          sentence: v.string(),
        }),
      ),
    }),
    handler: async ({ id }, context) => {
      const hub = hubOf(context);
      const device = hub.nodes.devices.get(id);
      if (device === undefined) throw new ApiError('ERR_NOT_FOUND', 'there is no such node');
      return { node: nodeBody(device, hub, context), pairs: pairsOf(device, context) };
    },
  }),
];

function unsignedBody(device: NodeDevice): v.InferInput<typeof Unsigned> {
  const fields = wantedFields(device);
  const { addresses, tags, routes } = fields;
  const lists = { addresses: [...addresses], tags: [...tags], routes: [...routes] };
  return { ...fields, ...lists, id: device.id, serial: device.node.signed?.serial ?? 0 };
}

/** @throws {ApiError} ERR_INPUT: the signature is not the network's, or of other fields. */
function signed(
  device: NodeDevice,
  { notAfterUnixMs, serial, signature }: v.InferOutput<typeof SignatureBody>,
  networkId: string,
  signingKey: string,
): GatewayDevice {
  const fields = { ...wantedFields(device), notAfterUnixMs, serial };
  const bytes = networkSignedBytes(fromBase64(networkId), device.id, fields);
  const isNewer = serial > (device.node.signed?.serial ?? 0);
  if (!isNewer || !isSignedBy(fromBase64(signingKey), bytes, fromBase64(signature)))
    throw new ApiError('ERR_INPUT', `signatures: ${device.name} has changed, or another key has signed it`);
  return { ...device, node: { ...device.node, signed: { ...fields, signature } } };
}

function pairsOf(device: NodeDevice, context: CallContext) {
  const hub = hubOf(context);
  const node = hub.relay.table.node(device.id);
  if (node === undefined) return [];
  return [...node.pairs].map(([other, pair]) => {
    const { name } = context.parts.gateway.device(other.id)?.device ?? { name: other.id };
    const code: 'answered' | 'no-answer' | 'away' = node.isAnsweredBy(other)
      ? 'answered'
      : other.endpoint === undefined
        ? 'away'
        : 'no-answer';
    return {
      with: other.id,
      name,
      code,
      initiations: pair.initiations,
      sentence: sentenceOf(code, name, pair.initiations),
    };
  });
}

function sentenceOf(code: 'answered' | 'no-answer' | 'away', name: string, initiations: number): string {
  if (code === 'answered') return `${name} has answered through the hub.`;
  if (code === 'away') return `${name} has no session with the hub: it is off, or has no network.`;
  return `The hub has relayed ${initiations} initiations, and no answer came from ${name}: is it asleep?`;
}
