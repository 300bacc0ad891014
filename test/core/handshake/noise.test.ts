import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { SymmetricState } from '../../../src/core/handshake/noise.js';
import { NodeCrypto } from '../../../src/crypto/node-crypto.js';
import { open, ReturningCrypto, seal } from '../../returning-crypto.js';
import { fromHex, readVectors, toHex } from '../../vectors.js';

const crypto = new NodeCrypto();
const returning = new ReturningCrypto(crypto);
const PROTOCOL_NAME = new TextEncoder().encode('Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s');

describe('SymmetricState in the pattern IKpsk2 (Noise §7.5, §9)', () => {
  for (const [index, raw] of readVectors<RawVector[]>('noise/IKpsk2_25519_ChaChaPoly_BLAKE2s.json').entries()) {
    const vector = readVector(raw);
    const name = `vector ${index + 1} of ${raw.source}`;

    it(`writes the exact bytes, ${name}`, () => {
      const { initiator, responder } = statesOf(vector);
      const [first, second] = vector.messages;

      assert.equal(toHex(writeFirst(initiator, vector, fromHex(first.payload))), first.ciphertext);
      readFirst(responder, vector, fromHex(first.ciphertext));
      assert.equal(toHex(writeSecond(responder, vector, fromHex(second.payload))), second.ciphertext);
    });

    it(`reads what was written, and both arrive at the same hash and keys, ${name}`, () => {
      const { initiator, responder } = statesOf(vector);
      const [first, second, ...transport] = vector.messages;

      writeFirst(initiator, vector, fromHex(first.payload));
      assert.deepEqual(readFirst(responder, vector, fromHex(first.ciphertext)), fromHex(first.payload));
      writeSecond(responder, vector, fromHex(second.payload));
      assert.deepEqual(readSecond(initiator, vector, fromHex(second.ciphertext)), fromHex(second.payload));

      assert.deepEqual(initiator.hash, responder.hash);
      if (vector.handshakeHash !== undefined) assert.equal(toHex(initiator.hash), vector.handshakeHash);
      const keys = split(initiator);
      assert.deepEqual(split(responder), keys);
      checkTransport(keys, transport);
    });
  }

  it('goes on from a fork without touching the original', () => {
    const state = SymmetricState.begin(crypto, PROTOCOL_NAME, new Uint8Array(0));
    const before = toHex(state.hash);
    const fork = state.fork();
    fork.mixHash(Uint8Array.of(1));
    fork.mixKey(Uint8Array.of(2));
    fork.wipe();

    assert.equal(toHex(state.hash), before);
    assert.deepEqual(split(state), split(SymmetricState.begin(crypto, PROTOCOL_NAME, new Uint8Array(0))));
  });

  it('refuses a low-order point in every Diffie–Hellman token (RFC 7748 §6.1)', () => {
    const state = SymmetricState.begin(crypto, PROTOCOL_NAME, new Uint8Array(0));
    const zero = new Uint8Array(32);
    assert.equal(state.mixDh(new Uint8Array(32).fill(7), zero), false);
    assert.equal(state.mixDhWithoutKey(new Uint8Array(32).fill(7), zero), false);
  });
});

function split(state: SymmetricState): [Uint8Array, Uint8Array] {
  const keys: [Uint8Array, Uint8Array] = [new Uint8Array(32), new Uint8Array(32)];
  state.split(...keys);
  return keys;
}

/** `-> e, es, s, ss` and a payload. */
function writeFirst(state: SymmetricState, vector: Vector, payload: Uint8Array): Uint8Array {
  const ephemeral = returning.x25519PublicKey(vector.initiatorEphemeral);
  state.mixEphemeral(ephemeral);
  assert.ok(state.mixDh(vector.initiatorEphemeral, vector.responderPublic));
  const encryptedStatic = state.sealAndHash(vector.initiatorPublic);
  assert.ok(state.mixDh(vector.initiatorStatic, vector.responderPublic));
  return Uint8Array.of(...ephemeral, ...encryptedStatic, ...state.sealAndHash(payload));
}

function readFirst(state: SymmetricState, vector: Vector, message: Uint8Array): Uint8Array | undefined {
  const ephemeral = message.subarray(0, 32);
  state.mixEphemeral(ephemeral);
  assert.ok(state.mixDh(vector.responderStatic, ephemeral));
  const initiatorPublic = state.openAndHash(message.subarray(32, 80));
  assert.deepEqual(initiatorPublic, vector.initiatorPublic);
  assert.ok(state.mixDh(vector.responderStatic, vector.initiatorPublic));
  return state.openAndHash(message.subarray(80));
}

/** `<- e, ee, se, psk` and a payload. */
function writeSecond(state: SymmetricState, vector: Vector, payload: Uint8Array): Uint8Array {
  const ephemeral = returning.x25519PublicKey(vector.responderEphemeral);
  state.mixEphemeral(ephemeral);
  assert.ok(state.mixDhWithoutKey(vector.responderEphemeral, returning.x25519PublicKey(vector.initiatorEphemeral)));
  assert.ok(state.mixDhWithoutKey(vector.responderEphemeral, vector.initiatorPublic));
  state.mixKeyAndHash(vector.presharedKey);
  return Uint8Array.of(...ephemeral, ...state.sealAndHash(payload));
}

function readSecond(state: SymmetricState, vector: Vector, message: Uint8Array): Uint8Array | undefined {
  const ephemeral = message.subarray(0, 32);
  state.mixEphemeral(ephemeral);
  assert.ok(state.mixDhWithoutKey(vector.initiatorEphemeral, ephemeral));
  assert.ok(state.mixDhWithoutKey(vector.initiatorStatic, ephemeral));
  state.mixKeyAndHash(vector.presharedKey);
  return state.openAndHash(message.subarray(32));
}

/** Messages go to and fro in turn; each direction counts its own nonces. */
function checkTransport(keys: readonly Uint8Array[], messages: readonly Message[]): void {
  for (const [i, { payload, ciphertext }] of messages.entries()) {
    const nonce = new Uint8Array(12);
    nonce[4] = i >> 1;
    const key = keys[i % 2];
    assert.equal(toHex(seal({ key, nonce, associatedData: NOTHING }, fromHex(payload))), ciphertext);
    assert.deepEqual(open({ key, nonce, associatedData: NOTHING }, fromHex(ciphertext)), fromHex(payload));
  }
}

function statesOf(vector: Vector): { initiator: SymmetricState; responder: SymmetricState } {
  const initiator = SymmetricState.begin(crypto, PROTOCOL_NAME, vector.prologue);
  initiator.mixHash(vector.responderPublic);
  const responder = SymmetricState.begin(crypto, PROTOCOL_NAME, vector.prologue);
  responder.mixHash(vector.responderPublic);
  return { initiator, responder };
}

interface Message {
  readonly payload: string;
  readonly ciphertext: string;
}

/** One vector, whichever of the two files it came from. */
interface Vector {
  readonly prologue: Uint8Array;
  readonly presharedKey: Uint8Array;
  readonly initiatorStatic: Uint8Array;
  readonly initiatorPublic: Uint8Array;
  readonly initiatorEphemeral: Uint8Array;
  readonly responderStatic: Uint8Array;
  readonly responderPublic: Uint8Array;
  readonly responderEphemeral: Uint8Array;
  readonly handshakeHash?: string;
  readonly messages: readonly Message[];
}

/** Cacophony's names, and flynn/noise's, which numbers its messages in the names of the fields. */
type RawVector = { readonly source: string; readonly messages?: readonly Message[]; readonly init_psks?: string[] } & {
  readonly [field: string]: string | undefined;
};

function readVector(raw: RawVector): Vector {
  const field = (...names: string[]): Uint8Array => fromHex(names.map((name) => raw[name]).find(Boolean) ?? '');
  const initiatorStatic = field('init_static');
  const responderStatic = field('resp_static');
  const vector = {
    prologue: field('init_prologue', 'prologue'),
    presharedKey: raw.init_psks === undefined ? field('preshared_key') : fromHex(raw.init_psks[0]),
    initiatorStatic,
    initiatorPublic: returning.x25519PublicKey(initiatorStatic),
    initiatorEphemeral: field('init_ephemeral', 'gen_init_ephemeral'),
    responderStatic,
    responderPublic: returning.x25519PublicKey(responderStatic),
    responderEphemeral: field('resp_ephemeral', 'gen_resp_ephemeral'),
    messages: raw.messages ?? [0, 1, 2, 3].map((i) => numberedMessage(raw, i)),
  };
  return raw['handshake_hash'] === undefined ? vector : { ...vector, handshakeHash: raw['handshake_hash'] };
}

function numberedMessage(raw: RawVector, index: number): Message {
  return { payload: raw[`msg_${index}_payload`]!, ciphertext: raw[`msg_${index}_ciphertext`]! };
}

const NOTHING = new Uint8Array(0);
