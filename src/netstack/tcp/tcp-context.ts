import type { BlockPool } from '../block-pool.js';
import type { PathMtus } from '../ip/path-mtus.js';
import type { TcpFlow } from './tcp-flow.js';

/** The services of the stack for the parts of TCP. */
export interface TcpContext {
  readonly pool: BlockPool;
  /** MTU of the tunnel. */
  readonly mtu: number;
  readonly pathMtus: PathMtus;
  /** Has `SegmentEmission` look after a flow when the host reads next. */
  requestOutput(flow: TcpFlow): void;
  /** Notes bits of `FlowEvent` for the program. */
  post(flow: TcpFlow, events: number): void;
  /** The deadline of a flow may have moved earlier. */
  schedule(flow: TcpFlow): void;
  /** A flow is over: its entry leaves the table. */
  remove(flow: TcpFlow): void;
  /** A flow goes to TIME-WAIT, where a small record takes its place. */
  enterTimeWait(flow: TcpFlow, nowMs: number): void;
}
