/**
 * What became of a packet or message. `Pass` is 0, so a fresh column reads "nothing against it".
 *
 * Everything that is not `Pass` is dropped and counted, per device and, where the peer is known
 * beyond doubt, per peer. Nothing here is ever thrown or logged: anyone can send bytes.
 */
export const Verdict = {
  Pass: 0,
  /** Inbound: no known type, wrong length for its type, or reserved bytes that are not zero (§5.4). */
  Malformed: 1,
  UnknownReceiverIndex: 2,
  /** The keypair is older than REJECT_AFTER_TIME, or its keys are wiped (§6.2). */
  KeypairExpired: 3,
  BadTag: 4,
  /** Seen before, behind the window, or past REJECT_AFTER_MESSAGES (§5.4.6). */
  Replayed: 5,
  /** The inner source belongs to another peer or to none (§2). */
  DisallowedSource: 6,
  /** Authentic, but what is inside is no IP packet. */
  MalformedPacket: 7,
  /** A handshake message: `admit` hands it to the handshake queue, it never reaches the TUN. */
  Handshake: 8,
  /** Authentic and empty (§6.5). Not an error: counted apart. */
  Keepalive: 9,
  /** The queue of handshake messages is full; the newest is dropped. */
  HandshakeQueueFull: 10,
  /** Outbound: no peer has the destination among its allowed IPs. Answered by ICMP. */
  NoPeer: 11,
  /** Outbound: the peer has no endpoint yet. Answered by ICMP. */
  NoEndpoint: 12,
  /** Outbound: kept until there is a session. */
  Staged: 13,
  /** Outbound: 128 packets already wait for the session and the oldest made room, or the device's budget is spent. */
  StagedOverflow: 14,
  /** Outbound: the handshake was given up and what waited for it was dropped (§6.4). */
  HandshakeGivenUp: 15,
  /** Outbound: our own outer datagram came back through the TUN. */
  RoutingLoop: 16,
  /** The link is down, or no private key is set. */
  DeviceDown: 17,
  /** Messages of a handshake that were refused; the reasons are counted as `HandshakeRejection`. */
  HandshakeRejected: 18,
  /** Inbound: sent from UDP port 0, to which nothing can be answered. The port is not authentic, so nobody roams there. */
  SourcePortZero: 19,
  /** A filter of the host's dropped it. */
  Filtered: 20,
  /** Inbound: not WireGuard, but for another program that shares the socket, such as STUN. */
  Foreign: 21,
} as const;
export type Verdict = (typeof Verdict)[keyof typeof Verdict];

export const VERDICT_COUNT = 22;

/** Names for people, in the order of the numbers. */
export const VERDICT_NAMES = Object.keys(Verdict) as readonly (keyof typeof Verdict)[];
