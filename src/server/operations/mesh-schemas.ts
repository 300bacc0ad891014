import * as v from 'valibot';

import type { MeshHub } from '../../mesh/hub/mesh-hub.js';
import { isAgent, type NodeDevice } from '../../mesh/hub/node-devices.js';
import { pathsOf } from '../../mesh/hub/path-summary.js';
import { ApiError } from '../server-errors.js';
import { Id, Key, Name, Tags } from './device-schemas.js';
import type { CallContext } from './operation.js';

const Milliseconds = v.pipe(v.number(), v.integer(), v.minValue(0));

export const NodeBody = v.strictObject({
  id: Id,
  name: v.string(),
  kind: v.picklist(['agent', 'stock']),
  addresses: v.array(v.string()),
  tags: v.array(v.string()),
  publicKey: Key,
  /** `waiting`: for the administrator's signature. */
  state: v.picklist(['connected', 'away', 'waiting']),
  /** Public address, as the hub sees it. */
  observed: v.optional(v.string()),
  /** How its NAT maps ports. */
  mapping: v.optional(v.picklist(['easy', 'hard', 'unknown'])),
  rttMs: v.optional(v.number()),
  /** Its paths to other nodes, as it has reported. */
  paths: v.record(v.string(), v.picklist(['direct', 'relay', 'carried'])),
  routes: v.array(v.string()),
  offeredRoutes: v.array(v.string()),
  lastHandshakeUnixMs: v.optional(Milliseconds),
  notAfterUnixMs: v.optional(Milliseconds),
  relayedBytes: v.number(),
  isEphemeral: v.boolean(),
  /** Two hosts seem to use its key: its address goes back and forth. */
  hasSharedKey: v.boolean(),
});
export type NodeBody = v.InferInput<typeof NodeBody>;

export const InvitationBody = v.strictObject({
  id: Id,
  name: v.optional(v.string()),
  tags: v.array(v.string()),
  usesLeft: v.number(),
  createdAtUnixMs: Milliseconds,
  createdBy: v.string(),
  expiresAtUnixMs: Milliseconds,
  ephemeralMinutes: v.optional(v.number()),
  used: v.array(v.strictObject({ node: Id, name: v.string(), atUnixMs: Milliseconds })),
});

export const NewInvitationBody = v.strictObject({
  name: v.optional(Name),
  tags: v.optional(Tags, []),
  uses: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10_000)), 1),
  ephemeralMinutes: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(525_600))),
  minutes: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(525_600)), 60),
});

export const SignatureBody = v.strictObject({
  id: Id,
  notAfterUnixMs: Milliseconds,
  serial: Milliseconds,
  signature: v.string(),
});

/** @throws {ApiError} ERR_NOT_FOUND: the gateway is no hub. */
export function hubOf({ parts }: CallContext): MeshHub {
  if (parts.hub === undefined) throw new ApiError('ERR_NOT_FOUND', 'this gateway is no hub: see wiretype hub init');
  return parts.hub;
}

export function nodeBody(device: NodeDevice, hub: MeshHub, { parts }: CallContext): NodeBody {
  const { id, name, addresses, tags, publicKey, node } = device;
  const report = hub.reportOf(id);
  const view = parts.gateway.device(id);
  const observed = hub.relay.observed(id);
  const notAfterUnixMs = hub.nodes.entryOf(id)?.record.notAfterUnixMs;
  const isHere = isAgent(device) ? hub.isConnected(id) : view?.condition === 'online';
  return {
    id,
    name,
    kind: isAgent(device) ? 'agent' : 'stock',
    addresses: [...addresses],
    tags: [...tags],
    publicKey,
    state: hub.nodes.isWaiting(device) ? 'waiting' : isHere ? 'connected' : 'away',
    paths: report === undefined ? {} : pathsOf(report.paths),
    routes: [...node.routes],
    offeredRoutes: [...node.offeredRoutes],
    relayedBytes: hub.relay.table.node(id)?.counts.relayedBytes ?? 0,
    isEphemeral: node.ephemeralMinutes !== undefined,
    hasSharedKey: hub.hasSharedKey(id),
    ...(report === undefined ? {} : { mapping: report.mapping }),
    ...(report?.rttMs === undefined ? {} : { rttMs: report.rttMs }),
    ...(observed === undefined ? {} : { observed }),
    ...(view?.lastHandshakeUnixMs === undefined ? {} : { lastHandshakeUnixMs: view.lastHandshakeUnixMs }),
    ...(notAfterUnixMs === undefined ? {} : { notAfterUnixMs }),
  };
}
