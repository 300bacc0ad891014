import * as v from 'valibot';

import type { HostInterface, HostInterfaceDetail, HostInterfaces, HostPeer } from '../host-interfaces.js';
import { ApiError } from '../server-errors.js';
import { auditOf } from './acting.js';
import { Key, Name, Nothing } from './device-schemas.js';
import { type CallContext, operation } from './operation.js';

const InterfaceName = v.pipe(v.string(), v.regex(/^[a-zA-Z0-9_=+.-]{1,15}$/));
/** A key within a path: base64url, since base64 has slashes. */
const KeyInPath = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{43}$/));

const InterfaceBody = v.strictObject({ name: v.string(), isRunning: v.boolean(), hasFile: v.boolean() });

const PeerBody = v.strictObject({
  name: v.optional(v.string()),
  publicKey: v.string(),
  state: v.picklist(['online', 'asleep', 'never-seen', 'disabled', 'expired', 'not-running']),
  allowedIps: v.array(v.string()),
  endpoint: v.optional(v.string()),
  lastHandshakeUnixMs: v.optional(v.number()),
  expiresAtUnixMs: v.optional(v.number()),
  receivedBytes: v.number(),
  sentBytes: v.number(),
  isInFile: v.boolean(),
});

const DetailBody = v.strictObject({
  ...InterfaceBody.entries,
  publicKey: v.optional(v.string()),
  listenPort: v.optional(v.number()),
  peers: v.array(PeerBody),
});

const ByName = v.strictObject({ name: InterfaceName });
const ByPeer = v.strictObject({ name: InterfaceName, key: KeyInPath });

/** Interfaces of `wiretyped` and of the kernel. What needs the gateway's engine is not to be had for them. */
export const INTERFACE_OPERATIONS = [
  operation({
    id: 'interface.list',
    method: 'GET',
    path: '/interfaces',
    scope: 'devices:read',
    summary: 'Lists the interfaces of this host, those with a file and those that run.',
    input: Nothing,
    output: v.strictObject({ interfaces: v.array(InterfaceBody) }),
    handler: async (_, context) => ({
      interfaces: (await interfacesOf(context).list()).map((found: HostInterface) => ({ ...found })),
    }),
  }),
  operation({
    id: 'interface.get',
    method: 'GET',
    path: '/interfaces/:name',
    scope: 'devices:read',
    summary: 'Returns an interface with its peers.',
    input: ByName,
    output: DetailBody,
    handler: async ({ name }, context) => detailBody(await interfacesOf(context).get(name)),
  }),
  operation({
    id: 'interface.explain',
    method: 'GET',
    path: '/interfaces/:name/peers/:key/explain',
    scope: 'devices:read',
    summary: 'Explains why a peer has no session. It may send one byte to the endpoint of the peer.',
    input: ByPeer,
    output: v.strictObject({
      reason: v.string(),
      advice: v.array(v.strictObject({ problem: v.string(), nextStep: v.string() })),
    }),
    handler: async ({ name, key }, context) => {
      const { reason, advice } = await interfacesOf(context).explain(name, plainKey(key));
      return { reason, advice: [...advice] };
    },
  }),
  operation({
    id: 'interface.addPeer',
    method: 'POST',
    path: '/interfaces/:name/peers',
    scope: 'devices:write',
    isRehearsed: false,
    summary: "Adds a peer to the interface's file and to the running interface, and returns the peer's file.",
    input: v.strictObject({ name: InterfaceName, peerName: Name, publicKey: Key }),
    output: v.strictObject({ file: v.string() }),
    status: 201,
    handler: async ({ name, peerName, publicKey }, context) => {
      const file = await interfacesOf(context).addPeer(name, { name: peerName, publicKey });
      await note(context, 'interface.addPeer', name, { peerName, publicKey });
      return { file };
    },
  }),
  operation({
    id: 'interface.changePeer',
    method: 'PATCH',
    path: '/interfaces/:name/peers/:key',
    scope: 'devices:write',
    isRehearsed: false,
    summary: 'Renames a peer, disables it, or lets it in again. It stays in the file, with its comments.',
    input: v.strictObject({ ...ByPeer.entries, peerName: v.optional(Name), isDisabled: v.optional(v.boolean()) }),
    output: DetailBody,
    handler: async ({ name, key, peerName, isDisabled }, context) => {
      const interfaces = interfacesOf(context);
      if (peerName !== undefined) await interfaces.renamePeer(name, plainKey(key), peerName);
      if (isDisabled !== undefined) await interfaces.setDisabled(name, plainKey(key), isDisabled);
      await note(context, 'interface.changePeer', name, { publicKey: plainKey(key), peerName, isDisabled });
      return detailBody(await interfaces.get(name));
    },
  }),
  operation({
    id: 'interface.removePeer',
    method: 'DELETE',
    path: '/interfaces/:name/peers/:key',
    scope: 'devices:write',
    isRehearsed: false,
    summary: 'Removes a peer from the file and from the running interface.',
    input: ByPeer,
    output: Nothing,
    status: 204,
    handler: async ({ name, key }, context) => {
      await interfacesOf(context).removePeer(name, plainKey(key));
      await note(context, 'interface.removePeer', name, { publicKey: plainKey(key) });
      return {};
    },
  }),
];

/** The audit log has what was done to files as well. */
async function note(context: CallContext, operationId: string, name: string, details: object): Promise<void> {
  await context.parts.store.changePeople({ audit: auditOf(context, operationId, name, details) });
}

/** @throws {ApiError} ERR_UNAVAILABLE: the gateway was started without them. */
function interfacesOf({ parts }: CallContext): HostInterfaces {
  if (parts.interfaces === undefined)
    throw new ApiError('ERR_UNAVAILABLE', 'the interfaces of this host are shown with --interfaces, as root');
  return parts.interfaces;
}

function detailBody({ peers, ...rest }: HostInterfaceDetail): v.InferInput<typeof DetailBody> {
  return {
    ...rest,
    peers: peers.map(({ allowedIps, ...peer }: HostPeer) => ({ ...peer, allowedIps: [...allowedIps] })),
  };
}

function plainKey(key: string): string {
  return `${key.replaceAll('-', '+').replaceAll('_', '/')}=`;
}
