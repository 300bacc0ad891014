/** News of a flow for the program that holds it, as bits. */
export const FlowEvent = {
  Connected: 1,
  /** Bytes are in order and unread. */
  Readable: 2,
  /** The send queue has room again after `write` took less than all. */
  Writable: 4,
  /** The peer sent FIN; everything in front of it is readable. */
  Finished: 8,
  /** The connection is over; `flow.closedBy` has the reason. */
  Closed: 16,
} as const;

/** Why a connection is over. */
export type CloseReason =
  /** Both sides closed in the ordinary way. */
  | 'closed'
  /** RST of the peer in answer to a SYN. */
  | 'refused'
  | 'reset'
  /** No answer within R2 (RFC 9293 §3.8.3), or to keepalive probes. */
  | 'timed-out'
  /** ICMP: the host or the network cannot be reached. */
  | 'unreachable'
  /** `abort` on this side. */
  | 'aborted';
