import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { loadAddon } from '../../src/addon/load.js';
import { CookieChecker, CookieJar } from '../../src/core/handshake/cookie.js';
import {
  consumeResponse,
  createInitiation,
  createResponse,
  type InitiatorState,
  type RemoteIdentity,
  type TransportKeys,
} from '../../src/core/handshake/handshake.js';
import { Identity } from '../../src/core/handshake/identity.js';
import { PacketBatch } from '../../src/core/packets/packet-batch.js';
import { Verdict } from '../../src/core/packets/verdict.js';
import type { AeadStage, Crypto } from '../../src/core/ports.js';
import * as initiationFields from '../../src/wire/handshake-initiation.js';
import * as responseFields from '../../src/wire/handshake-response.js';
import { MessageType, messageType } from '../../src/wire/messages.js';
import * as dataFields from '../../src/wire/transport-data.js';
import { type ConsumedInitiation, consumeInitiation } from '../core/handshake/consume-initiation.js';
import { seededEnvironment } from '../core/seeded-environment.js';
import { fromHex, readVectors, toHex } from '../vectors.js';
import { implementationOf } from './secret-life.js';

const { keys, captures } = readVectors<Captures>('wireshark/captures.json');

for (const [name, { crypto, makeAead }] of [
  ['with the addon', implementationOf(loadAddon())],
  ['without the addon', implementationOf(undefined)],
] as const)
  describe(`the captures of Wireshark, ${name}`, () => {
    for (const capture of captures)
      for (const [i, handshake] of capture.handshakes.entries()) {
        const what = `${capture.name}, handshake ${i + 1}`;
        for (const isClamped of [true, false])
          it(`writes initiation and response to the byte, ${isClamped ? '' : 'un'}clamped keys: ${what}`, () => {
            new Replay(crypto, capture, handshake, isClamped).checkHandshake();
          });

        it(`opens every data message, and seals it again to the same bytes: ${what}`, () => {
          const replay = new Replay(crypto, capture, handshake, true);
          const { initiatorKeys, responderKeys } = replay.checkHandshake();
          const frames = replay.dataFrames(initiatorKeys, responderKeys);
          assert.equal(frames.length, DATA_FRAMES[capture.name]![i]);
          for (const { frame, sender, receiver } of frames) checkData(makeAead(), fromHex(frame), sender, receiver);
        });
      }
  });

const DATA_FRAMES: Readonly<Record<string, readonly number[]>> = { 'ping-tcp': [11, 7], psk: [0, 0] };

/** Both ends of one handshake of a capture. */
class Replay {
  readonly #crypto: Crypto;
  readonly #capture: Capture;
  readonly #handshake: Handshake;
  readonly #initiator: Identity;
  readonly #responder: Identity;
  readonly #initiatorEphemeral: Uint8Array;

  constructor(crypto: Crypto, capture: Capture, handshake: Handshake, isClamped: boolean) {
    const initiatorKey = isClamped ? keys.initiatorStaticPrivate : keys.initiatorStaticPrivateUnclamped;
    const ends = [identity(crypto, initiatorKey), identity(crypto, keys.responderStaticPrivate)] as const;
    [this.#initiator, this.#responder] = handshake.initiator === 'initiator' ? ends : [ends[1], ends[0]];
    this.#initiatorEphemeral = fromBase64(
      (isClamped ? undefined : handshake.initiatorEphemeralPrivateUnclamped) ?? handshake.initiatorEphemeralPrivate,
    );
    this.#crypto = crypto;
    this.#capture = capture;
    this.#handshake = handshake;
  }

  checkHandshake(): { initiatorKeys: TransportKeys; responderKeys: TransportKeys } {
    const consumed = this.#consumeInitiation();
    const state = this.#checkInitiation(consumed);
    const responderKeys = this.#checkResponse(consumed);
    const initiatorKeys = consumeResponse(this.#initiator, this.#remote(this.#responder), state, this.#response);
    assert.ok(typeof initiatorKeys !== 'string');
    assert.deepEqual(initiatorKeys.sendKey, responderKeys.receiveKey);
    assert.deepEqual(initiatorKeys.receiveKey, responderKeys.sendKey);
    return { initiatorKeys, responderKeys };
  }

  /** Those of this handshake's session, with the keys of the end that sent each and of the one that gets it. */
  dataFrames(initiatorKeys: TransportKeys, responderKeys: TransportKeys): DataFrame[] {
    return this.#capture.frames.flatMap(({ message }) => {
      const bytes = fromHex(message);
      if (messageType(bytes, 0, bytes.length) !== MessageType.TransportData) return [];
      const index = dataFields.receiverIndex(bytes, 0);
      if (index === initiatorKeys.remoteIndex)
        return [{ frame: message, sender: initiatorKeys, receiver: responderKeys }];
      if (index === responderKeys.remoteIndex)
        return [{ frame: message, sender: responderKeys, receiver: initiatorKeys }];
      return [];
    });
  }

  #consumeInitiation(): ConsumedInitiation {
    const checker = new CookieChecker(this.#crypto, seededEnvironment());
    checker.setPublicKey(this.#responder.staticPublic);
    assert.ok(checker.hasValidMac1(this.#initiation));
    const remote = this.#remote(this.#initiator);
    const consumed = consumeInitiation(this.#crypto, this.#responder, this.#initiation, () => remote);
    assert.ok(typeof consumed !== 'string', String(consumed));
    assert.deepEqual(consumed.staticPublic, this.#initiator.staticPublic);
    return consumed;
  }

  #checkInitiation(consumed: ConsumedInitiation): InitiatorState {
    const created = createInitiation(
      this.#crypto,
      this.#initiator,
      this.#remote(this.#responder),
      this.#initiatorEphemeral,
      initiationFields.senderIndex(this.#initiation),
      consumed.timestamp,
    );
    assert.ok(created !== undefined);
    new CookieJar(this.#crypto, this.#responder.staticPublic).sign(created.message, 0);
    assert.equal(toHex(created.message), toHex(this.#initiation));
    return created.state;
  }

  #checkResponse(consumed: ConsumedInitiation): TransportKeys {
    const created = createResponse(
      this.#crypto,
      consumed,
      this.#remote(this.#initiator),
      fromBase64(this.#handshake.responderEphemeralPrivate),
      responseFields.senderIndex(this.#response),
    );
    assert.ok(created !== undefined);
    new CookieJar(this.#crypto, this.#initiator.staticPublic).sign(created.message, 0);
    assert.equal(toHex(created.message), toHex(this.#response));
    return created.keys;
  }

  /** Frames are counted from 1, as Wireshark does. */
  get #initiation(): Uint8Array {
    return fromHex(this.#capture.frames[this.#handshake.initiation - 1]!.message);
  }

  get #response(): Uint8Array {
    return fromHex(this.#capture.frames[this.#handshake.response - 1]!.message);
  }

  #remote({ staticPublic }: Identity): RemoteIdentity {
    const other = staticPublic === this.#initiator.staticPublic ? this.#responder : this.#initiator;
    const staticStatic = new Uint8Array(32);
    assert.ok(this.#crypto.x25519(staticStatic, other.staticPrivate, staticPublic));
    const { presharedKey } = this.#handshake;
    return {
      staticPublic,
      presharedKey: presharedKey === null ? new Uint8Array(32) : fromBase64(presharedKey),
      staticStatic,
    };
  }
}

function checkData(aead: AeadStage, frame: Uint8Array, sender: TransportKeys, receiver: TransportKeys): void {
  const batch = new PacketBatch(1, 2_048);
  batch.appendRow(frame.length);
  batch.bytes.set(frame, batch.offset[0]);
  batch.keySlot[0] = aead.installKeys(receiver.sendKey, receiver.receiveKey);
  aead.open(batch);
  assert.equal(batch.verdict[0], Verdict.Pass);

  batch.keySlot[0] = aead.installKeys(sender.sendKey, sender.receiveKey);
  batch.length[0]! -= dataFields.TAG_BYTES;
  aead.seal(batch);
  assert.equal(toHex(batch.bytes.subarray(batch.offset[0], batch.offset[0]! + batch.length[0]!)), toHex(frame));
}

function identity(crypto: Crypto, privateKey: string): Identity {
  return Identity.from(crypto, fromBase64(privateKey))!;
}

function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'));
}

interface DataFrame {
  readonly frame: string;
  readonly sender: TransportKeys;
  readonly receiver: TransportKeys;
}

interface Captures {
  readonly keys: Readonly<
    Record<'initiatorStaticPrivate' | 'initiatorStaticPrivateUnclamped' | 'responderStaticPrivate', string>
  >;
  readonly captures: readonly Capture[];
}

interface Capture {
  readonly name: string;
  readonly frames: readonly { readonly message: string }[];
  readonly handshakes: readonly Handshake[];
}

interface Handshake {
  readonly initiation: number;
  readonly response: number;
  readonly initiator: 'initiator' | 'responder';
  readonly initiatorEphemeralPrivate: string;
  readonly initiatorEphemeralPrivateUnclamped?: string;
  readonly responderEphemeralPrivate: string;
  readonly presharedKey: string | null;
}
