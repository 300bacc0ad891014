import type { GatewayDevice } from '../../gateway/gateway-model.js';
import type { NodeFacts } from '../../gateway/mesh-model.js';

/** A device that is a node of the mesh: it has a record, and is relayed to. */
export type NodeDevice = GatewayDevice & { readonly node: NodeFacts };

/** Tests whether a device is a node now: neither in the bin, nor blocked, nor expired. */
export function isLiveNode(device: GatewayDevice | undefined, nowUnixMs: number): device is NodeDevice {
  return (
    device?.node !== undefined &&
    device.deletedAtUnixMs === undefined &&
    !device.isBlocked &&
    (device.expiresAtUnixMs ?? Infinity) > nowUnixMs
  );
}

/** Tests whether a node runs an agent. A stock node is a plain WireGuard with a file of ours. */
export function isAgent({ node }: NodeDevice): boolean {
  return node.identityKey !== undefined;
}

/** Tests whether two nodes can talk end to end: a stock node only with those that its file names. */
export function areIntroduced(a: NodeDevice, b: NodeDevice): boolean {
  return (isAgent(a) || (a.node.knows ?? []).includes(b.id)) && (isAgent(b) || (b.node.knows ?? []).includes(a.id));
}
