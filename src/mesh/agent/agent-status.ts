import type { ReasonCode } from '../../core/session-reason.js';
import type { HubWay } from '../paths/hub-path.js';
import type { PathView } from '../paths/peer-paths.js';

/** A peer of an agent, for people and programs. */
export interface AgentPeerStatus {
  readonly id: string;
  readonly name: string;
  readonly addresses: readonly string[];
  readonly routes: readonly string[];
  readonly kind: 'agent' | 'stock';
  readonly path: PathView['kind'];
  /** Where it is reached directly. */
  readonly endpoint?: string;
  readonly rttMs?: number;
  /** Why it is not direct. */
  readonly why?: string;
  /** Absent: never. */
  readonly lastHandshakeUnixMs?: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  /** Why there is no session, or `session`: a code for programs, and a sentence. */
  readonly reasonCode: ReasonCode;
  readonly reason: string;
}

/** The node that was chosen for all traffic that no other way is known for. What it does not lead to does not leave at all. */
export interface ExitStatus {
  /** Its name or id, whichever was given. */
  readonly node: string;
  /** Whether there is such a node. */
  readonly isKnown: boolean;
  /** `0.0.0.0/0` and `::/0`, as far as the hub has approved them. */
  readonly routes: readonly string[];
}

/** State of an agent. */
export interface AgentStatus {
  readonly network: string;
  readonly name: string;
  readonly id: string;
  readonly addresses: readonly string[];
  readonly mode: 'auto' | 'locked';
  /** Whether the node is signed, and in the map of others. */
  readonly isWaiting: boolean;
  readonly hub: {
    readonly endpoint: string;
    /** `none`: UDP is not answered, and no carrier is connected; both are tried again. */
    readonly way: HubWay;
    readonly isConnected: boolean;
    /** The hub is reached, and does not know the key of this node. Absent: nothing says so. */
    readonly isKeyUnknown?: true;
    readonly rttMs?: number;
  };
  /** Absent: everything leaves by this host. */
  readonly exit?: ExitStatus;
  readonly mapping: 'easy' | 'hard' | 'unknown';
  readonly publicAddress?: string;
  /** The hub's clock less this host's, where they differ by more than a day. */
  readonly clockErrorMs?: number;
  /** Records that the hub gave and that were not believed. The last good one of each stays. */
  readonly refused: readonly { readonly id: string; readonly name: string; readonly problem: string }[];
  readonly peers: readonly AgentPeerStatus[];
}

/** Says in a sentence why a path is not direct. */
export function whyRelayed(view: PathView, mapping: AgentStatus['mapping'], isAgent: boolean): string | undefined {
  if (view.kind === 'direct') return undefined;
  if (!isAgent) return 'a stock node sends to the hub only';
  if (view.kind === 'carried') return 'UDP to the hub is blocked here';
  if (view.attempts === 0) return 'no traffic yet';
  if (mapping === 'hard') return `${times(view.attempts)}: the NAT here gives each destination another port`;
  return `${times(view.attempts)}: the NATs let no probe through`;
}

function times(attempts: number): string {
  return attempts === 1 ? 'one attempt failed' : `${attempts} attempts failed`;
}
