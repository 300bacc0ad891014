import { WireGuardError } from '../../core/errors.js';
import type { NodeBody } from '../../server/operations/mesh-schemas.js';
import type { GatewayClient } from '../gateway/gateway-client.js';

/** The network of a hub, as its API shows it. */
export interface MeshBody {
  readonly name: string;
  readonly networkId: string;
  readonly mode: 'auto' | 'locked';
  readonly nodes: readonly NodeBody[];
}

/** Asks the hub for a node by its name or id. @throws {WireGuardError} ERR_NO_DEVICE */
export async function findNode(wanted: string, client: GatewayClient): Promise<NodeBody> {
  const [node] = (await client.call<MeshBody>('GET', `/mesh?node=${encodeURIComponent(wanted)}`)).nodes;
  if (node === undefined) throw new WireGuardError('ERR_NO_DEVICE', `there is no node named ${wanted}`);
  return node;
}
