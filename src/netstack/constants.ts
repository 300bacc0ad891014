/**
 * The numbers of the stack. Where an RFC leaves a choice, Linux's value is taken, so that a peer meets what it knows.
 */

/** RFC 6298 §2.1: before the first measurement. */
export const INITIAL_RTO_MS = 1_000;
/** RFC 6298 §2.4 asks for 1 s; Linux waits 200 ms, and so does every peer that expects its behaviour. */
export const MIN_RTO_MS = 200;
export const MAX_RTO_MS = 120_000;
/** RFC 6298 §5.7: for the first data when the SYN was lost and nothing measured the path. */
export const RTO_AFTER_LOST_SYN_MS = 3_000;

/** RFC 9293 §3.8.3: R2 for a SYN; four tries a second apart, then six that double (131 s in all). */
export const SYN_LINEAR_RETRIES = 4;
export const SYN_RETRIES = 10;
export const SYN_ACK_RETRIES = 5;
/** R1 (RFC 9293 §3.8.3): from here on the path is suspected to be a black hole for large packets. */
export const BLACK_HOLE_RETRIES = 2;
/** R2 (RFC 9293 §3.8.3): about 924 s. */
export const MAX_RETRIES = 15;
/** A connection that nobody holds is given up earlier. */
export const ORPHAN_RETRIES = 8;

/** RFC 9293 §3.6.1 sets 2 MSL of 4 minutes; Linux keeps 60 s. */
export const TIME_WAIT_MS = 60_000;
export const FIN_WAIT_2_MS = 60_000;
export const MAX_TIME_WAITS = 4_096;

/** RFC 9293 §3.8.6.3 allows 500 ms. */
export const DELAYED_ACK_MS = 40;
/** Segments that are acknowledged at once at the start, so that the sender's window opens fast. */
export const QUICK_ACKS = 16;
/** RFC 5961 §7: challenge ACKs for segments without data, one per connection in this time. */
export const CHALLENGE_ACK_INTERVAL_MS = 500;

/** RFC 9293 §3.8.4: defaults of a keepalive that a program switched on. */
export const KEEPALIVE_IDLE_MS = 7_200_000;
export const KEEPALIVE_INTERVAL_MS = 75_000;
export const KEEPALIVE_PROBES = 9;

/** RFC 8985 §7.2: the delay that a peer may add to its ACK of a lone segment. */
export const TLP_MAX_ACK_DELAY_MS = 200;
/** RFC 8985 §6.2: over this time the smallest round trip is taken. */
export const MIN_RTT_WINDOW_MS = 300_000;
/** Resolution of the stack's clock: what it shows as equal may have been this far apart. */
export const CLOCK_RESOLUTION_MS = 1;

/** RFC 6928 §2. */
export const INITIAL_WINDOW_SEGMENTS = 10;
/** RFC 9293 §3.7.1 (MUST-15): without the option. */
export const DEFAULT_MSS4 = 536;
export const DEFAULT_MSS6 = 1_220;
/** Linux's floor: a smaller announcement would let a peer have us send headers only (CVE-2019-11479). */
export const MIN_MSS = 48;
/** Path MTU never falls below these (Linux's min_pmtu; RFC 8200 §5). */
export const MIN_PATH_MTU4 = 552;
export const MIN_PATH_MTU6 = 1_280;
/** MTUs that are tried in turn when large packets vanish without an answer (RFC 4821 §7.7): segments of 1,024 and 536 bytes. */
export const BLACK_HOLE_MTU4 = [1_064, 576] as const;
export const BLACK_HOLE_MTU6 = [MIN_PATH_MTU6] as const;
/** How long a reported path MTU is good (RFC 1191 §6.3, RFC 8201 §4). */
export const PATH_MTU_LIFETIME_MS = 600_000;
/** How long a connection keeps to small segments after a black hole: the packets may have vanished for another reason. */
export const BLACK_HOLE_SEARCH_MS = 10_000;

/** Receive buffer at the start, and the most that automatic tuning gives to one connection. */
export const INITIAL_RECEIVE_BUFFER = 131_072;
export const MAX_RECEIVE_BUFFER = 6_291_456;
export const MAX_SEND_BUFFER = 4_194_304;
/** The queue of a connection whose congestion window is small; a larger window has a queue of twice its size. */
export const MIN_SEND_BUFFER = 262_144;
/** Chosen from the greatest buffer (RFC 7323 §2.3): 2^7 × 65,535 > 6 MiB. */
export const WINDOW_SHIFT = 7;
/** Out-of-order ranges that one connection keeps. A path that reorders heavily makes hundreds of them. */
export const MAX_OUT_OF_ORDER_RANGES = 1_024;

export const EPHEMERAL_PORT_FIRST = 32_768;
export const EPHEMERAL_PORT_LAST = 60_999;
export const ACCEPT_QUEUE_LENGTH = 511;
export const SYN_BACKLOG = 2_048;
/** Half-open connections in accept-any mode: of all clients together, and of one address. */
export const MAX_REQUESTS = 2_048;
export const MAX_REQUESTS_PER_CLIENT = 512;
