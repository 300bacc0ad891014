import { type CloseReason, FlowEvent } from './flow-event.js';
import type { TcpContext } from './tcp-context.js';
import type { TcpFlow } from './tcp-flow.js';
import { TcpState } from './tcp-state.js';

/** Ends a connection at once: nothing of it is left in the table, and the program learns why. */
export function endFlow(context: TcpContext, flow: TcpFlow, reason: CloseReason): void {
  if (flow.state === TcpState.Closed) return;
  flow.state = TcpState.Closed;
  flow.closedBy = reason;
  flow.release(reason !== 'aborted');
  context.remove(flow);
  context.post(flow, FlowEvent.Closed);
}

/** Neither side has more to say in CLOSING and LAST-ACK, unless our FIN still waits behind data. */
export function needsReset({ state, isFinSent }: TcpFlow): boolean {
  if (state === TcpState.Closing || state === TcpState.LastAck) return !isFinSent;
  return state !== TcpState.SynSent;
}
