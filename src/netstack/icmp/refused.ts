/** Something of a client's that the program turns down by an ICMP error: a SYN, a datagram, an echo request. */
export interface Refused {
  /** The address that the client wrote to, which the error comes from. */
  readonly local: Int32Array;
  /** The client. */
  readonly remote: Int32Array;
  /** The start of the client's packet, which the error quotes. */
  readonly quoted: Uint8Array;
}

/** Start of a packet that is kept for an ICMP error: both headers, with all options that a SYN has in practice. */
export const QUOTED_BYTES = 128;

/** Why: the errors that a router or the host at the end would send (RFC 792, RFC 1812 §5.2.7.1, RFC 4443 §3.1). */
export type RefusalKind = 'network' | 'host' | 'prohibited' | 'port';
