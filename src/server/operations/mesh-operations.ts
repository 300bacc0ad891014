import * as v from 'valibot';

import { formatKey } from '../../control/key-text.js';
import { EnrolmentRequest, makeInvitation } from '../../mesh/hub/enrolment.js';
import type { NodeDevice } from '../../mesh/hub/node-devices.js';
import { HubInfo, MapEntry } from '../../mesh/map/messages.js';
import { formatInvitation } from '../../mesh/records/invitation-text.js';
import { ApiError } from '../server-errors.js';
import { ById, Id, Nothing } from './device-schemas.js';
import { hubOf, InvitationBody, NewInvitationBody, NodeBody, nodeBody } from './mesh-schemas.js';
import { type CallContext, operation } from './operation.js';

const Route = v.pipe(v.string(), v.regex(/^[0-9a-fA-F:.]{2,45}\/\d{1,3}$/));

/** The network of a hub: invitations, nodes, what nodes may lead to. */
export const MESH_OPERATIONS = [
  operation({
    id: 'mesh.status',
    method: 'GET',
    path: '/mesh',
    scope: 'devices:read',
    summary:
      'Returns the network of the hub, with all nodes or, with node, the one of that id or name. The gateway is no hub: not found.',
    input: v.strictObject({ node: v.optional(v.string()) }),
    output: v.strictObject({
      name: v.string(),
      networkId: v.string(),
      mode: v.picklist(['auto', 'locked']),
      signingKey: v.string(),
      hub: HubInfo,
      nodes: v.array(NodeBody),
    }),
    handler: async ({ node }, context) => {
      const hub = hubOf(context);
      const devices = [...hub.nodes.devices.values()].filter((device) => node === undefined || isCalled(device, node));
      const nodes = devices.map((device) => nodeBody(device, hub, context));
      return { ...hub.mesh, hub: hub.info(), nodes };
    },
  }),
  operation({
    id: 'mesh.enrol',
    method: 'POST',
    path: '/mesh/enrol',
    scope: 'public',
    summary:
      'Makes a node of the host whose tunnel the request comes by. It works from the lobby of an invitation only.',
    input: EnrolmentRequest,
    output: v.strictObject({
      id: Id,
      name: v.string(),
      addresses: v.array(v.string()),
      isWaiting: v.boolean(),
      hub: HubInfo,
      mode: v.picklist(['auto', 'locked']),
      self: v.optional(MapEntry),
    }),
    status: 201,
    isRehearsed: false,
    handler: async (request, context) => {
      const { device } = context.caller;
      if (device === undefined) throw new ApiError('ERR_SCOPE', 'this works from inside of an invitation only');
      const hub = hubOf(context);
      const { id, name, addresses } = await hub.enrol(request, device);
      const self = hub.nodes.entryOf(id);
      return {
        id,
        name,
        addresses: [...addresses],
        isWaiting: self === undefined,
        hub: hub.info(),
        mode: hub.mesh.mode,
        ...(self === undefined ? {} : { self }),
      };
    },
  }),
  operation({
    id: 'mesh.invite',
    method: 'POST',
    path: '/mesh/invitations',
    scope: 'devices:write',
    summary: 'Makes an invitation. Its text is shown this once: whoever has it can join.',
    input: NewInvitationBody,
    output: v.strictObject({ ...InvitationBody.entries, text: v.string() }),
    status: 201,
    isRehearsed: false,
    example: { input: { name: 'laptop' } },
    handler: ({ minutes, name, ephemeralMinutes, ...given }, context) =>
      invite(
        {
          ...given,
          ...(name === undefined ? {} : { name }),
          ...(ephemeralMinutes === undefined ? {} : { ephemeralMinutes }),
        },
        minutes,
        context,
      ),
  }),
  operation({
    id: 'mesh.invitations',
    method: 'GET',
    path: '/mesh/invitations',
    scope: 'devices:read',
    summary: 'Lists the invitations, without their texts.',
    input: Nothing,
    output: v.strictObject({ invitations: v.array(InvitationBody) }),
    handler: async (_, context) => {
      hubOf(context);
      return { invitations: context.parts.gateway.invitations().map(invitationBody) };
    },
  }),
  operation({
    id: 'mesh.withdraw',
    method: 'DELETE',
    path: '/mesh/invitations/:id',
    scope: 'devices:write',
    summary: 'Withdraws an invitation at once.',
    input: ById,
    output: Nothing,
    status: 204,
    isRehearsed: false,
    handler: async ({ id }, context) => {
      hubOf(context);
      const { gateway } = context.parts;
      if (!gateway.invitations().some((invitation) => invitation.id === id))
        throw new ApiError('ERR_NOT_FOUND', 'there is no such invitation');
      const plan = { devices: [], removeInvitations: [id] };
      await gateway.transact(
        () => ({ plan, operation: 'mesh.withdraw', object: id, result: undefined }),
        context.caller.actor,
      );
      return {};
    },
  }),
  operation({
    id: 'node.routes',
    method: 'PUT',
    path: '/mesh/nodes/:id/routes',
    scope: 'devices:write',
    summary:
      'Approves what a node leads to. A range that it does not offer is refused; 0.0.0.0/0 or ::/0 makes it an exit.',
    input: v.strictObject({ id: Id, routes: v.pipe(v.array(Route), v.maxLength(64)) }),
    output: NodeBody,
    isRehearsed: false,
    handler: async ({ id, routes }, context) => {
      const hub = hubOf(context);
      await context.parts.gateway.transact((state) => {
        const device = state.devices.find((each) => each.id === id);
        if (device?.node === undefined) throw new ApiError('ERR_NOT_FOUND', 'there is no such node');
        const offered = [...device.node.offeredRoutes, ...device.node.routes];
        const stranger = routes.find((route) => !offered.includes(route));
        if (stranger !== undefined)
          throw new ApiError('ERR_INPUT', `routes: ${device.name} does not offer ${stranger}`);
        const offeredRoutes = offered.filter((route) => !routes.includes(route));
        const changed = { ...device, node: { ...device.node, routes, offeredRoutes } };
        return {
          plan: { devices: [changed] },
          operation: 'node.routes',
          object: id,
          details: { routes },
          result: undefined,
        };
      }, context.caller.actor);
      const device = hub.nodes.devices.get(id);
      if (device === undefined) throw new ApiError('ERR_NOT_FOUND', 'there is no such node');
      return nodeBody(device, hub, context);
    },
  }),
];

/** Names are the same in any case. */
function isCalled({ id, name }: NodeDevice, wanted: string): boolean {
  return id === wanted || name.toLowerCase() === wanted.toLowerCase();
}

async function invite(
  given: Parameters<typeof makeInvitation>[0] extends infer T ? Omit<T & object, 'expiresAtUnixMs'> : never,
  minutes: number,
  context: CallContext,
) {
  const hub = hubOf(context);
  const { gateway, nowUnixMs } = context.parts;
  const { networkId, name, signingKey } = hub.mesh;
  const expiresAtUnixMs = nowUnixMs() + minutes * 60_000;
  const made = makeInvitation(
    { ...given, expiresAtUnixMs },
    { networkId, createdBy: context.caller.actor, nowUnixMs: nowUnixMs() },
  );
  const { invitation, privateKey } = made;
  const info = hub.info();
  const text = formatInvitation({
    id: invitation.id,
    network: name,
    networkId,
    hubKey: info.publicKey,
    hubEndpoint: info.endpoint,
    ...(info.carrierUrl === undefined ? {} : { carrierUrl: info.carrierUrl }),
    hubAddress: info.addresses.find((address) => address.includes(':')) ?? info.addresses[0]!,
    lobbyAddress: invitation.address,
    privateKey: formatKey(privateKey),
    signingKey,
    expiresAtUnixMs,
  });
  privateKey.fill(0);
  const plan = { devices: [], putInvitations: [invitation] };
  const details = { name: invitation.name, tags: invitation.tags, uses: invitation.usesLeft, expiresAtUnixMs };
  await gateway.transact(
    () => ({ plan, operation: 'mesh.invite', object: invitation.id, details, result: undefined }),
    context.caller.actor,
  );
  return { ...invitationBody(invitation), text };
}

function invitationBody(invitation: ReturnType<typeof makeInvitation>['invitation']) {
  const { publicKey: _, address: __, owner: ___, ...shown } = invitation;
  return { ...shown, tags: [...shown.tags], used: shown.used.map((use) => ({ ...use })) };
}
