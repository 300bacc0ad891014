import type { Duplex } from 'node:stream';

import type { AeadStage, Crypto } from '../../core/ports.js';
import type { Clock } from '../../host/clock.js';
import type { Tun } from '../../host/tun.js';
import type { OpenSocket, Tunnel } from '../../host/tunnel.js';
import type { FindPlace } from '../carrier/placed-connection.js';
import type { RefusedRecord } from './known-map.js';
import type { NodeState } from './node-state.js';

export type AgentEvent =
  | { readonly kind: 'map'; readonly nodes: number }
  | { readonly kind: 'refused'; readonly record: RefusedRecord }
  | { readonly kind: 'hub'; readonly isConnected: boolean }
  | { readonly kind: 'path'; readonly node: string; readonly path: string }
  /** The hub is reached, and does not know the key of this node. */
  | { readonly kind: 'unknown-key' }
  | { readonly kind: 'revoked'; readonly reason: string }
  /** `errorMs` is that of the status; 0: the clock is right again. */
  | { readonly kind: 'clock'; readonly errorMs: number };

export interface MeshAgentOptions {
  readonly state: NodeState;
  readonly save: (state: NodeState) => Promise<void>;
  readonly crypto: Crypto;
  readonly aead: AeadStage;
  readonly clock: Clock;
  readonly openSocket: OpenSocket;
  readonly tun: Tun;
  /** Opens a TCP connection inside of the tunnel. */
  readonly connect: (host: string, port: number) => Duplex;
  /** Looks the name of the hub up. */
  readonly lookup: (host: string) => Promise<string>;
  /** Finds where the carrier connects to, in place of the system. */
  readonly findPlace?: FindPlace;
  /** Ranges that this host offers to lead to. */
  readonly offeredRoutes?: readonly string[];
  /** Name or id of the node that all other traffic goes out by. */
  readonly exitNode?: string;
  readonly onEvent?: (event: AgentEvent) => void;
  /** Called once the tunnel is there, before it has a key. */
  readonly onTunnel?: (tunnel: Tunnel) => void | Promise<void>;
}
