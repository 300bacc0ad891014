/**
 * MAC1 and MAC2, which end both handshake messages.
 *
 * ```text
 *           n−32   n−16   n
 *  | fields | mac1 | mac2 |
 *  |--------^ MAC1 covers these
 *  |---------------^ MAC2 covers these
 * ```
 *
 * All functions take one whole message and return views, not copies.
 *
 * Source: whitepaper §5.4.4.
 */
export const MAC_BYTES = 16;

export function mac1(message: Uint8Array): Uint8Array {
  return message.subarray(message.length - 2 * MAC_BYTES, message.length - MAC_BYTES);
}

export function mac2(message: Uint8Array): Uint8Array {
  return message.subarray(message.length - MAC_BYTES);
}

export function coveredByMac1(message: Uint8Array): Uint8Array {
  return message.subarray(0, message.length - 2 * MAC_BYTES);
}

export function coveredByMac2(message: Uint8Array): Uint8Array {
  return message.subarray(0, message.length - MAC_BYTES);
}
