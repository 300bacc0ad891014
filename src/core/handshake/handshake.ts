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
 *            <- e, ee, se, psk       response, with an empty payload
 *  split                                                    split
 * ```
 *
 * These functions check keys and tags only, neither MAC1 and MAC2 nor the age of a timestamp.
 * They read a message into a separate state, which is committed only when every tag was right. A
 * refused message changes nothing.
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
  /** X25519 of both static keys, computed once. All zero: no handshake is possible. */
  readonly staticStatic: Uint8Array;
}

/** The two keys of a session. The receiver must wipe them as soon as they are installed. */
export class TransportKeys {
  readonly sendKey: Uint8Array;
  readonly receiveKey: Uint8Array;
  /** The index of the other side, as int32. */
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

/** An initiator that waits for its response. Wiped when the response arrived, or when the attempt ends. */
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

/**
 * An initiation whose static key was opened: the claimed sender and the state so far. The caller that opened it must
 * wipe it.
 */
export class OpenedInitiation {
  /** The claimed static key, which is unproven until the timestamp is opened as well. */
  readonly staticPublic: Uint8Array;
  /** The sender index as int32. */
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
 * Reads an initiation up to the key of its sender. `openTimestamp` reads the rest, once the peer with that key is found.
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
 * @param opened The result of `openStatic` for `message`. Must be used only once.
 * @returns TAI64N, 12 bytes. The caller must check that the stamp is new.
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
 * @param opened An initiation whose timestamp was opened. It is not changed; the caller wipes it.
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
 * @param state Is not changed. The caller wipes it when keys are returned; a refused response may be forged,
 *   while the right response is still in flight.
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

/** @param responderPublic The static key that the initiator must know beforehand. */
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
