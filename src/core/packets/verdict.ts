/**
 * The fate of a packet or message. `Pass` is 0, so that the rows of a fresh column pass.
 *
 * There are three kinds: rows that pass, rows that are carried on another way, and losses. All are counted, per device
 * and, where the peer is certain, per peer. Verdicts are never thrown or logged, since anyone can send bytes.
 */
export const Verdict = {
  Pass: 0,

  // Carried on.
  /** A handshake message: `admit` passes it to the handshake door, and it never reaches the TUN. */
  Handshake: 8,
  /** Authentic and empty (§6.5). */
  Keepalive: 9,
  /** Outbound: kept until there is a session. */
  Staged: 13,

  // Losses of messages that came in.
  /** No known type, wrong length for its type, or reserved bytes that are not zero (§5.4). */
  Malformed: 1,
  UnknownReceiverIndex: 2,
  /** The keypair is older than REJECT_AFTER_TIME, or its keys are wiped (§6.2). */
  KeypairExpired: 3,
  BadTag: 4,
  /** Seen before, behind the window, or past REJECT_AFTER_MESSAGES (§5.4.6). */
  Replayed: 5,
  /** The inner source belongs to another peer or to none (§2). */
  DisallowedSource: 6,
  /** Authentic, but the content is no IP packet. Outbound: the TUN's data is no IP packet. */
  MalformedPacket: 7,
  /** The queue of handshake messages is full; the newest is dropped. */
  HandshakeQueueFull: 10,
  /** A handshake message that was refused on arrival; the reasons are counted as `HandshakeRejection`. */
  HandshakeRejected: 18,
  /** Sent from UDP port 0, which cannot be answered. The port is not authentic, so no peer roams there. */
  SourcePortZero: 19,

  // Losses of packets on their way out.
  /** No peer has the destination among its allowed IPs. Answered by ICMP. */
  NoPeer: 11,
  /** The peer has no endpoint yet. Answered by ICMP. */
  NoEndpoint: 12,
  /** 128 packets already wait for the session and the oldest made room, or the device's budget is spent. */
  StagedOverflow: 14,
  /** The handshake was given up and the staged packets were dropped (§6.4). */
  HandshakeGivenUp: 15,
  /** Our own outer datagram came back through the TUN. */
  RoutingLoop: 16,

  // Losses in both directions.
  /** The link is down, or no private key is set. */
  DeviceDown: 17,
  /** Dropped by a filter of the host. */
  Filtered: 20,
  /** A datagram for another program that shares the socket, such as STUN. */
  Foreign: 21,
} as const;
export type Verdict = (typeof Verdict)[keyof typeof Verdict];

const VERDICTS = Object.entries(Verdict) as readonly [keyof typeof Verdict, Verdict][];

export const VERDICT_COUNT = VERDICTS.length;

/** Names for people, in the order of the numbers. */
export const VERDICT_NAMES: readonly (keyof typeof Verdict)[] = VERDICTS.toSorted(([, a], [, b]) => a - b).map(
  ([name]) => name,
);

const NO_LOSSES: ReadonlySet<number> = new Set([Verdict.Pass, Verdict.Handshake, Verdict.Keepalive, Verdict.Staged]);

/** Whether a packet or message with this verdict is lost, in contrast to passed or carried on. */
export function isLoss(verdict: number): boolean {
  return !NO_LOSSES.has(verdict);
}
