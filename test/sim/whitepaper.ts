/**
 * The numbers that the tests hold the device to.
 *
 * Restated here and not imported: tests compare the code with its source, not with itself. Times are milliseconds,
 * sizes are bytes.
 *
 * Source: WireGuard whitepaper (revision of 2020-06-01), table in §6.1; the last group: the kernel module.
 */
export const REKEY_AFTER_TIME_MS = 120_000;
export const REJECT_AFTER_TIME_MS = 180_000;
export const REKEY_ATTEMPT_TIME_MS = 90_000;
export const REKEY_TIMEOUT_MS = 5_000;
export const KEEPALIVE_TIMEOUT_MS = 10_000;
export const REKEY_AFTER_MESSAGES = 2n ** 60n;
export const REJECT_AFTER_MESSAGES = 2n ** 64n - 2n ** 13n - 1n;
export const REPLAY_WINDOW = 8_128;
export const COOKIE_LIFETIME_MS = 120_000;

export const INITIATION_BYTES = 148;
export const RESPONSE_BYTES = 92;
export const COOKIE_REPLY_BYTES = 64;
/** Header of 16 and tag of 16, around nothing. */
export const KEEPALIVE_BYTES = 32;

export const MAX_JITTER_MS = 333;
export const COOKIE_LATENCY_MS = 5_000;
export const FLOOD_INTERVAL_MS = 20;
/** Our own: for all peers together. */
export const STAGED_BUDGET_BYTES = 2 ** 25;
export const MAX_STAGED_PACKETS = 128;
export const UNDER_LOAD_MESSAGES = 128;
export const HANDSHAKES_PER_SECOND = 20;
export const HANDSHAKE_BURST = 5;
/** DSCP AF41. */
export const HANDSHAKE_TRAFFIC_CLASS = 0x88;
