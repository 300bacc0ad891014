/** Public keys of the measured relay: any bytes will do, as nothing is opened. */
export const HUB_KEY = new Uint8Array(32).fill(1);
export const NODE_KEYS = [new Uint8Array(32).fill(2), new Uint8Array(32).fill(3)] as const;
export const LOOPBACK = Uint8Array.of(127, 0, 0, 1);
