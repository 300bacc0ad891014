/**
 * Constants of the protocol and of this implementation.
 *
 * Source: WireGuard whitepaper (revision of 2020-06-01), table in §6.1, unless a line names another.
 * Times are milliseconds, sizes are bytes.
 */

export const REKEY_AFTER_TIME_MS = 120_000;
export const REJECT_AFTER_TIME_MS = 180_000;
export const REKEY_ATTEMPT_TIME_MS = 90_000;
export const REKEY_TIMEOUT_MS = 5_000;
export const KEEPALIVE_TIMEOUT_MS = 10_000;

/** §6.1 requires jitter, so that two peers do not stay in step. The kernel uses a third of a second. */
export const REKEY_TIMEOUT_JITTER_MS = 333;

/** REKEY_AFTER_MESSAGES is 2^60: the upper half of the counter reaches this. Counters are two 32-bit halves. */
export const REKEY_AFTER_MESSAGES_HIGH = 2 ** 28;
/** REJECT_AFTER_MESSAGES is 2^64 − 2^13 − 1: the upper half of that. */
export const REJECT_AFTER_MESSAGES_HIGH = 0xffff_ffff;
/** The lower half of REJECT_AFTER_MESSAGES. */
export const REJECT_AFTER_MESSAGES_LOW = 0xffff_dfff;

/** An initiator also rekeys when it receives data this close to the end of its keypair (§6.2). */
export const REKEY_ON_RECEIVE_AFTER_MS = REJECT_AFTER_TIME_MS - KEEPALIVE_TIMEOUT_MS - REKEY_TIMEOUT_MS;

/** §5.4.7: the lifetime of a cookie and of its secret. */
export const COOKIE_LIFETIME_MS = 120_000;
/** The receiver of a cookie stops using it this much earlier, since it travelled. */
export const COOKIE_LATENCY_MS = 5_000;

/** Bytes of every key: X25519 keys, preshared keys and transport keys. */
export const KEY_BYTES = 32;

/** §5.4.6: packets are padded to a multiple of this. */
export const PADDING_BYTES = 16;

// Implementation constants, the same as in the kernel module where a difference would be visible.

/** Handshake initiations accepted from one peer: one in this time. */
export const FLOOD_INTERVAL_MS = 20;
export const MAX_STAGED_PACKETS = 128;
/** The budget for staged packets of all peers of a device: a scan of many peers' addresses cannot exceed it. */
export const STAGED_BUDGET_BYTES = 32 * 1024 * 1024;
export const MAX_PEERS = 2 ** 16;
export const HANDSHAKE_QUEUE_LENGTH = 1_024;
/** Length of the separate queue for handshake messages whose sender has proven its address. */
export const PROVEN_QUEUE_LENGTH = 64;
/** The device is under load while at least this many handshake messages wait … */
export const UNDER_LOAD_LENGTH = HANDSHAKE_QUEUE_LENGTH / 8;
/** … and for this long after. */
export const UNDER_LOAD_STICKY_MS = 1_000;

export const DEFAULT_MTU = 1_420;
/** The outer IPv6 header, UDP and the message around a packet (40 + 8 + 32). */
export const MESSAGE_OVERHEAD_BYTES = 80;
export const MAX_MTU = 65_535 - MESSAGE_OVERHEAD_BYTES;

/** Handshake messages carry DSCP AF41, as the kernel's do. */
export const HANDSHAKE_TRAFFIC_CLASS = 0x88;
