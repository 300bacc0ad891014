import * as v from 'valibot';

import type { GatewayDevice } from '../../gateway/gateway-model.js';
import type { NodeDevice } from '../../mesh/hub/node-devices.js';
import { isToBeSigned, wantedFields } from '../../mesh/hub/record-maker.js';
import { fromBase64, networkSignedBytes } from '../../mesh/records/node-record.js';
import { isSignedBy } from '../../mesh/records/signing.js';
import { ApiError } from '../server-errors.js';
import { Id, Nothing } from './device-schemas.js';
import { hubOf, NodeBody, nodeBody, SignatureBody } from './mesh-schemas.js';
import { type CallContext, operation } from './operation.js';

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

/** Signatures of nodes, and what the relay has seen of them. */
export const MESH_NODE_OPERATIONS = [
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
