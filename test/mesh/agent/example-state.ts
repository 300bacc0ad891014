/** The state of a node that has just joined. */
import type { NodeState } from '../../../src/mesh/agent/node-state.js';

const KEY = Buffer.alloc(32, 7).toString('base64');

export const STATE: NodeState = {
  version: 1,
  id: '0123456789ab',
  name: 'laptop',
  addresses: ['10.0.0.2'],
  network: 'home',
  networkId: Buffer.alloc(16, 1).toString('base64'),
  signingKey: KEY,
  mode: 'auto',
  hub: { publicKey: KEY, endpoint: 'hub:1', addresses: ['10.0.0.1'], subnets: ['10.0.0.0/24'] },
  privateKey: KEY,
  keySeq: 1,
  keyMadeUnixMs: 1,
  identity: 'pem',
  listenPort: 0,
  routes: [],
  map: { entries: [], rules: [] },
  seen: {},
};
