/**
 * The states of a connection.
 *
 * ```text
 *            connect                                   close                 ACK of FIN
 * Closed ──────────▶ SynSent ──SYN+ACK──▶ Established ──────▶ FinWait1 ─────────────▶ FinWait2
 *    │                  │SYN                │FIN               │FIN                      │FIN
 *    │ SYN (listener)   ▼                   ▼                  ▼          ACK of FIN     ▼
 *    └──────────▶ SynReceived ──ACK──▶ …  CloseWait          Closing ─────────────▶ TimeWait
 *                                           │close                                       │2 MSL
 *                                           ▼        ACK of FIN                          ▼
 *                                         LastAck ─────────────────────────────────▶  Closed
 * ```
 *
 * A state changes when FIN is queued, not when it leaves: data may still be waiting in front of it.
 *
 * Source: RFC 9293 §3.3.2.
 */
export const TcpState = {
  Closed: 0,
  SynSent: 1,
  SynReceived: 2,
  Established: 3,
  FinWait1: 4,
  FinWait2: 5,
  CloseWait: 6,
  Closing: 7,
  LastAck: 8,
  TimeWait: 9,
} as const;
export type TcpState = (typeof TcpState)[keyof typeof TcpState];

/** Names for people, in the order of the numbers. */
export const TCP_STATE_NAMES = Object.keys(TcpState) as readonly (keyof typeof TcpState)[];

/** Tests whether both sides have seen each other's SYN. */
export function isSynchronized(state: TcpState): boolean {
  return state >= TcpState.Established;
}

/** Tests whether the peer may still send data in this state. */
export function mayReceive(state: TcpState): boolean {
  return state === TcpState.Established || state === TcpState.FinWait1 || state === TcpState.FinWait2;
}

/** Tests whether our FIN is queued and not acknowledged, so that only what waits is sent. */
export function isFinPending(state: TcpState): boolean {
  return state === TcpState.FinWait1 || state === TcpState.Closing || state === TcpState.LastAck;
}
