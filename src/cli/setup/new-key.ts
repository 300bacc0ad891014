import { formatKey, parseKey } from '../../control/key-text.js';
import { clamp, publicKeyOf } from '../wg/key-pair.js';
import type { HostNetwork } from './host-network.js';

const KEY_BYTES = 32;

/** Makes a private key, in base64: files are text, and text cannot be cleared. */
export function newPrivateKey(host: HostNetwork): string {
  const key = host.random(KEY_BYTES);
  clamp(key);
  try {
    return formatKey(key);
  } finally {
    key.fill(0);
  }
}

/** Makes a preshared key, in base64. */
export function newPresharedKey(host: HostNetwork): string {
  const key = host.random(KEY_BYTES);
  try {
    return formatKey(key);
  } finally {
    key.fill(0);
  }
}

/** Returns the public key of a private key, both in base64. */
export function publicKeyText(privateKey: string): string {
  const key = parseKey(privateKey, 'private key');
  try {
    return formatKey(publicKeyOf(key));
  } finally {
    key.fill(0);
  }
}
