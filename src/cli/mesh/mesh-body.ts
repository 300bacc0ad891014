import { WireGuardError } from '../../core/errors.js';
import type { NodeBody } from '../../server/operations/mesh-schemas.js';

/** The network of a hub, as its API shows it. */
export interface MeshBody {
  readonly name: string;
  readonly networkId: string;
  readonly mode: 'auto' | 'locked';
  readonly nodes: readonly NodeBody[];
}

/** Finds a node by its name or id. @throws {WireGuardError} ERR_NO_DEVICE */
export function nodeNamed(wanted: string, nodes: readonly NodeBody[]): NodeBody {
  const node = nodes.find(({ id, name }) => id === wanted || name.toLowerCase() === wanted.toLowerCase());
  if (node === undefined) throw new WireGuardError('ERR_NO_DEVICE', `there is no node named ${wanted}`);
  return node;
}
