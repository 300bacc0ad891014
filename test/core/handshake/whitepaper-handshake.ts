import { createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto';
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { blake2s } from '@noble/hashes/blake2.js';
import { hmac } from '@noble/hashes/hmac.js';

/**
 * The handshake of the whitepaper, formula by formula, as a second opinion on `handshake.ts`. Shares no code with it.
 *
 * Source: whitepaper §5.4 (functions), §5.4.2, §5.4.3, §5.4.5.
 */
export interface WhitepaperInputs {
  readonly initiatorStatic: Uint8Array;
  readonly initiatorEphemeral: Uint8Array;
  readonly responderStatic: Uint8Array;
  readonly responderEphemeral: Uint8Array;
  readonly presharedKey: Uint8Array;
  readonly timestamp: Uint8Array;
  readonly initiatorIndex: number;
  readonly responderIndex: number;
}

export interface WhitepaperHandshake {
  /** 116 bytes: without the MACs. */
  readonly initiation: Uint8Array;
  /** 60 bytes: without the MACs. */
  readonly response: Uint8Array;
  readonly initiatorSends: Uint8Array;
  readonly responderSends: Uint8Array;
}

export function whitepaperHandshake(inputs: WhitepaperInputs): WhitepaperHandshake {
  const publicOf = {
    initiator: dhPublic(inputs.initiatorStatic),
    initiatorEphemeral: dhPublic(inputs.initiatorEphemeral),
    responder: dhPublic(inputs.responderStatic),
    responderEphemeral: dhPublic(inputs.responderEphemeral),
  };
  let key: Uint8Array;

  let c = hash(CONSTRUCTION);
  let h = hash(c, IDENTIFIER);
  h = hash(h, publicOf.responder);
  [c] = kdf(1, c, publicOf.initiatorEphemeral);
  h = hash(h, publicOf.initiatorEphemeral);
  [c, key] = kdf(2, c, dh(inputs.initiatorEphemeral, publicOf.responder));
  const encryptedStatic = aead(key, publicOf.initiator, h);
  h = hash(h, encryptedStatic);
  [c, key] = kdf(2, c, dh(inputs.initiatorStatic, publicOf.responder));
  const encryptedTimestamp = aead(key, inputs.timestamp, h);
  h = hash(h, encryptedTimestamp);
  const initiation = Uint8Array.of(
    ...[1, 0, 0, 0],
    ...littleEndian(inputs.initiatorIndex),
    ...publicOf.initiatorEphemeral,
    ...encryptedStatic,
    ...encryptedTimestamp,
  );

  [c] = kdf(1, c, publicOf.responderEphemeral);
  h = hash(h, publicOf.responderEphemeral);
  [c] = kdf(1, c, dh(inputs.responderEphemeral, publicOf.initiatorEphemeral));
  [c] = kdf(1, c, dh(inputs.responderEphemeral, publicOf.initiator));
  const kdf3 = kdf(3, c, inputs.presharedKey);
  [c, , key] = kdf3;
  h = hash(h, kdf3[1]);
  const encryptedNothing = aead(key, new Uint8Array(0), h);
  const response = Uint8Array.of(
    ...[2, 0, 0, 0],
    ...littleEndian(inputs.responderIndex),
    ...littleEndian(inputs.initiatorIndex),
    ...publicOf.responderEphemeral,
    ...encryptedNothing,
  );

  const [initiatorSends, responderSends] = kdf(2, c, new Uint8Array(0));
  return { initiation, response, initiatorSends, responderSends };
}

export function dhPublic(privateKey: Uint8Array): Uint8Array {
  const publicKey = createPublicKey(privateKeyObject(privateKey)).export({ format: 'der', type: 'spki' });
  return new Uint8Array(publicKey.subarray(-32));
}

export function dh(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array {
  const spki = Buffer.concat([Buffer.from('302a300506032b656e032100', 'hex'), publicKey]); // RFC 8410 §4
  const keys = {
    privateKey: privateKeyObject(privateKey),
    publicKey: createPublicKey({ key: spki, format: 'der', type: 'spki' }),
  };
  return new Uint8Array(diffieHellman(keys));
}

function privateKeyObject(privateKey: Uint8Array): ReturnType<typeof createPrivateKey> {
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b656e04220420', 'hex'), privateKey]); // RFC 8410 §7
  return createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
}

/** HASH. */
export function hash(...parts: Uint8Array[]): Uint8Array {
  return blake2s(Buffer.concat(parts));
}

/** MAC. */
export function mac(key: Uint8Array, input: Uint8Array): Uint8Array {
  return blake2s(input, { key, dkLen: 16 });
}

/** KDF_n. */
function kdf(n: number, key: Uint8Array, input: Uint8Array): Uint8Array[] {
  const secret = hmac(blake2s, key, input);
  const outputs: Uint8Array[] = [];
  for (let i = 1; i <= n; i++)
    outputs.push(hmac(blake2s, secret, Uint8Array.of(...(outputs.at(-1) ?? new Uint8Array(0)), i)));
  return outputs;
}

/** AEAD, with counter 0. */
function aead(key: Uint8Array, plaintext: Uint8Array, authText: Uint8Array): Uint8Array {
  return chacha20poly1305(key, new Uint8Array(12), authText).encrypt(plaintext);
}

function littleEndian(value: number): number[] {
  return [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24];
}

const CONSTRUCTION = new TextEncoder().encode('Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s');
const IDENTIFIER = new TextEncoder().encode('WireGuard v1 zx2c4 Jason@zx2c4.com');
