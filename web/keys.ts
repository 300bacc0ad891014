/** Keys of a device, made in this browser. */
export interface DeviceKeys {
  /** Base64. */
  readonly privateKey: string;
  readonly publicKey: string;
}

const KEY_BYTES = 32;
/** An X25519 key in PKCS #8 ends with its 32 bytes (RFC 8410 §7). */
const PKCS8_HEAD = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 4, 0x22, 4, 0x20];

/** Makes a key pair. Without a secure context there is no WebCrypto: a library does the arithmetic then. */
export async function makeKeys(): Promise<DeviceKeys> {
  const secret = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  secret[0]! &= 248;
  secret[31] = (secret[31]! & 127) | 64;
  const publicKey = (await byWebCrypto(secret)) ?? (await byLibrary(secret));
  const keys = { privateKey: base64(secret), publicKey: base64(publicKey) };
  secret.fill(0);
  return keys;
}

async function byWebCrypto(secret: Uint8Array): Promise<Uint8Array | undefined> {
  try {
    const pkcs8 = new Uint8Array([...PKCS8_HEAD, ...secret]);
    const key = await crypto.subtle.importKey('pkcs8', pkcs8, { name: 'X25519' }, true, ['deriveBits']);
    pkcs8.fill(0);
    const { x } = await crypto.subtle.exportKey('jwk', key);
    return Uint8Array.from(atob(x!.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0));
  } catch {
    return undefined; // no secure context, or a browser without X25519
  }
}

async function byLibrary(secret: Uint8Array): Promise<Uint8Array> {
  const { x25519 } = await import('@noble/curves/ed25519.js');
  return x25519.getPublicKey(secret);
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

/** The name that phones accept for a tunnel: 15 letters, digits and _=+.- at most. */
export function tunnelName(name: string): string {
  const plain = name
    .normalize('NFKD')
    .replace(/[^a-zA-Z0-9_=+.-]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 15);
  return plain === '' ? 'wiretype' : plain;
}
