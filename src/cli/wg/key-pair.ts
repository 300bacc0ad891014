export { clamp, publicKeyOf } from '../../crypto/key-pair.js';

export function isZeroKey(key: Uint8Array): boolean {
  return key.every((byte) => byte === 0);
}
