import * as initiation from '../../wire/handshake-initiation.js';
import * as response from '../../wire/handshake-response.js';
import { isZeroInConstantTime } from '../constant-time.js';
import { KEY_BYTES } from '../constants.js';
import type { Crypto } from '../ports.js';
import { copySecret, secretBytes } from '../secret-bytes.js';
import type { HandshakeRejection } from './handshake-rejection.js';
import { SymmetricState } from './noise.js';

/**
 * The handshake: Noise_IKpsk2 with 25519, ChaCha20-Poly1305 and BLAKE2s.
 *
 * ```text
 *  initiator                                                responder
 *            <- s                    known beforehand
 *            -> e, es, s, ss         initiation, with the timestamp
 *            <- e, ee, se, psk       response, with nothing
 *  split                                                    split
 * ```
 *
 * Functions here judge nothing but keys and tags: not MAC1 and MAC2, not whether a timestamp is new.
 * They read a message into a state of their own, which is committed only when every tag was right; what
 * is refused leaves nothing behind.
 *
 * Source: whitepaper §5.4.1–§5.4.5; Noise Protocol Framework (revision 34) §7.5, §9.
 */

export interface LocalIdentity {
  readonly staticPrivate: Uint8Array;
  readonly staticPublic: Uint8Array;
}

export interface RemoteIdentity {
  readonly staticPublic: Uint8Array;
  /** 32 zero bytes: none. */
  readonly presharedKey: Uint8Array;
  /** X25519 of both static keys, made once. All zero if there is none: then there is no handshake. */
  readonly staticStatic: Uint8Array;
}

/** The two keys of a session. Whoever receives them wipes them, as soon as they are installed. */
export class TransportKeys {
  readonly sendKey: Uint8Array;
  readonly receiveKey: Uint8Array;
  /** The index that the other side gave its end, as int32. */
  readonly remoteIndex: number;
  readonly #memory = secretBytes(2 * KEY_BYTES);

  /** @param noise A state that has gone through both messages. */
  constructor(noise: SymmetricState, isInitiator: boolean, remoteIndex: number) {
    const initiatorKey = this.#memory.subarray(0, KEY_BYTES);
    const responderKey = this.#memory.subarray(KEY_BYTES);
    noise.split(initiatorKey, responderKey);
    this.sendKey = isInitiator ? initiatorKey : responderKey;
    this.receiveKey = isInitiator ? responderKey : initiatorKey;
    this.remoteIndex = remoteIndex;
  }

  wipe(): void {
    this.#memory.fill(0);
  }
}

/** An initiator that waits for its response. Wiped when the response came, or is given up. */
export class InitiatorState {
  readonly noise: SymmetricState;
  readonly ephemeralPrivate: Uint8Array;
  readonly localIndex: number;

  constructor(noise: SymmetricState, ephemeralPrivate: Uint8Array, localIndex: number) {
    this.noise = noise;
    this.ephemeralPrivate = ephemeralPrivate;
    this.localIndex = localIndex;
  }

  wipe(): void {
    this.noise.wipe();
    this.ephemeralPrivate.fill(0);
  }
}

/** An initiation whose static key was opened: who claims to have sent it, and how to go on. Whoever opened it wipes it. */
export class OpenedInitiation {
  /** Not proven before the timestamp is opened as well. */
  readonly staticPublic: Uint8Array;
  /** As int32. */
  readonly senderIndex: number;
  readonly remoteEphemeral: Uint8Array;
  readonly noise: SymmetricState;

  constructor(message: Uint8Array, staticPublic: Uint8Array, noise: SymmetricState) {
    this.staticPublic = staticPublic;
    this.senderIndex = initiation.senderIndex(message);
    this.remoteEphemeral = initiation.ephemeral(message).slice();
    this.noise = noise;
  }

  wipe(): void {
    this.noise.wipe();
  }
}

/**
 * @param ephemeralPrivate 32 random bytes. Copied: the caller clears its own.
 * @param timestamp TAI64N, greater than every earlier one for this peer.
 * @returns The message with zeros for both MACs; `undefined` if the remote key is a low-order point.
 */
export function createInitiation(
  crypto: Crypto,
  local: LocalIdentity,
  remote: RemoteIdentity,
  ephemeralPrivate: Uint8Array,
  localIndex: number,
  timestamp: Uint8Array,
): { message: Uint8Array; state: InitiatorState } | undefined {
  if (isZeroInConstantTime(remote.staticStatic)) return undefined;
  const state = new InitiatorState(begin(crypto, remote.staticPublic), copySecret(ephemeralPrivate), localIndex);
  const { noise } = state;

  const ephemeral = publicKeyOf(crypto, state.ephemeralPrivate);
  noise.mixEphemeral(ephemeral); // e
  if (!noise.mixDh(state.ephemeralPrivate, remote.staticPublic)) {
    state.wipe();
    return undefined; // es
  }
  const encryptedStatic = noise.sealAndHash(local.staticPublic); // s
  noise.mixKey(remote.staticStatic); // ss
  const encryptedTimestamp = noise.sealAndHash(timestamp);

  const message = initiation.formatHandshakeInitiation(localIndex, ephemeral, encryptedStatic, encryptedTimestamp);
  return { message, state };
}

/**
 * Reads an initiation as far as the key of its sender. `openTimestamp` goes on, once the peer with that key is found.
 *
 * @param message One whole initiation, with a right MAC1.
 */
export function openStatic(
  crypto: Crypto,
  local: LocalIdentity,
  message: Uint8Array,
): OpenedInitiation | HandshakeRejection {
  const noise = begin(crypto, local.staticPublic);
  const ephemeral = initiation.ephemeral(message);
  noise.mixEphemeral(ephemeral); // e
  const isUsable = noise.mixDh(local.staticPrivate, ephemeral); // es
  const staticPublic = isUsable ? noise.openAndHash(initiation.encryptedStatic(message)) : undefined; // s
  if (staticPublic !== undefined) return new OpenedInitiation(message, staticPublic, noise);
  noise.wipe();
  return isUsable ? 'wrong-key' : 'low-order-point';
}

/**
 * Reads the rest of an initiation, which proves that its sender has the private key of `remote`.
 *
 * @param opened What `openStatic` returned for `message`, once only.
 * @returns TAI64N, 12 bytes. Whether it is new, the caller has to see.
 */
export function openTimestamp(
  opened: OpenedInitiation,
  remote: RemoteIdentity,
  message: Uint8Array,
): Uint8Array | HandshakeRejection {
  if (isZeroInConstantTime(remote.staticStatic)) return 'low-order-point';
  opened.noise.mixKey(remote.staticStatic); // ss
  return opened.noise.openAndHash(initiation.encryptedTimestamp(message)) ?? 'bad-timestamp-tag';
}

/**
 * Answers an initiation.
 *
 * @param opened An initiation whose timestamp was opened. Is left as it is; the caller wipes it.
 * @param ephemeralPrivate 32 random bytes, which the caller clears.
 * @returns The message with zeros for both MACs, and the session's keys; `undefined` for a low-order point.
 */
export function createResponse(
  crypto: Crypto,
  opened: OpenedInitiation,
  remote: RemoteIdentity,
  ephemeralPrivate: Uint8Array,
  localIndex: number,
): { message: Uint8Array; keys: TransportKeys } | undefined {
  const noise = opened.noise.fork();
  try {
    const ephemeral = publicKeyOf(crypto, ephemeralPrivate);
    noise.mixEphemeral(ephemeral); // e
    if (!noise.mixDhWithoutKey(ephemeralPrivate, opened.remoteEphemeral)) return undefined; // ee
    if (!noise.mixDhWithoutKey(ephemeralPrivate, remote.staticPublic)) return undefined; // se
    noise.mixKeyAndHash(remote.presharedKey); // psk
    const encryptedNothing = noise.sealAndHash(NOTHING);

    const { senderIndex } = opened;
    const message = response.formatHandshakeResponse(localIndex, senderIndex, ephemeral, encryptedNothing);
    return { message, keys: new TransportKeys(noise, false, senderIndex) };
  } finally {
    noise.wipe();
  }
}

/**
 * Reads the response to our initiation.
 *
 * @param message One whole response, with a right MAC1, for the index of `state`.
 * @param state Is left as it is. The caller wipes it when keys came back; a refused response may be a forged one,
 *   and the right one still on its way.
 */
export function consumeResponse(
  local: LocalIdentity,
  remote: RemoteIdentity,
  state: InitiatorState,
  message: Uint8Array,
): TransportKeys | HandshakeRejection {
  const noise = state.noise.fork();
  try {
    const ephemeral = response.ephemeral(message);
    noise.mixEphemeral(ephemeral); // e
    if (!noise.mixDhWithoutKey(state.ephemeralPrivate, ephemeral)) return 'low-order-point'; // ee
    if (!noise.mixDhWithoutKey(local.staticPrivate, ephemeral)) return 'low-order-point'; // se
    noise.mixKeyAndHash(remote.presharedKey); // psk
    if (noise.openAndHash(response.encryptedNothing(message)) === undefined) return 'wrong-response';

    return new TransportKeys(noise, true, response.senderIndex(message));
  } finally {
    noise.wipe();
  }
}

/** @param responderPublic The static key that the initiator must have beforehand. */
function begin(crypto: Crypto, responderPublic: Uint8Array): SymmetricState {
  const noise = SymmetricState.begin(crypto, CONSTRUCTION, IDENTIFIER);
  noise.mixHash(responderPublic); // <- s
  return noise;
}

function publicKeyOf(crypto: Crypto, privateKey: Uint8Array): Uint8Array {
  const publicKey = new Uint8Array(new ArrayBuffer(KEY_BYTES));
  crypto.x25519PublicKey(publicKey, privateKey);
  return publicKey;
}

const NOTHING = new Uint8Array(0);
/** CONSTRUCTION and IDENTIFIER of §5.4. */
const CONSTRUCTION = ascii('Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s');
const IDENTIFIER = ascii('WireGuard v1 zx2c4 Jason@zx2c4.com');

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
