import type { BlockPool } from '../block-pool.js';
import { WINDOW_SHIFT } from '../constants.js';
import { addSequence } from '../sequence.js';
import { FIRST_WINDOW } from './half-open.js';
import type { InitialNumbers } from './initial-numbers.js';
import { type FlowAddress, TcpFlow } from './tcp-flow.js';
import { TcpState } from './tcp-state.js';

/** Makes the control block of a connection that we open: its SYN offers all options (RFC 9293 §3.10.1). */
export function makeConnectingFlow(
  ends: FlowAddress,
  pool: BlockPool,
  numbers: InitialNumbers,
  nowMs: number,
): TcpFlow {
  const flow = new TcpFlow(ends, pool);
  flow.state = TcpState.SynSent;
  flow.iss = numbers.sequence(flow, nowMs);
  flow.timestampOffset = numbers.timestampOffset(flow);
  flow.sndUna = flow.iss;
  flow.sndNxt = flow.iss;
  flow.dataStart = addSequence(flow.iss, 1);
  flow.receiveShift = WINDOW_SHIFT;
  flow.hasTimestamps = true;
  flow.hasSack = true;
  flow.mustSendSyn = true;
  flow.window.edge = FIRST_WINDOW;
  return flow;
}
