import type { NodeBody } from '../../server/operations/mesh-schemas.js';

/** The network of a hub, as its API shows it. */
export interface MeshBody {
  readonly name: string;
  readonly networkId: string;
  readonly mode: 'auto' | 'locked';
  readonly nodes: readonly NodeBody[];
}
