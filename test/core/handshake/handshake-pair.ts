import assert from 'node:assert/strict';

import {
  consumeResponse,
  createInitiation,
  createResponse,
  type InitiatorState,
  type LocalIdentity,
  type RemoteIdentity,
  type TransportKeys,
} from '../../../src/core/handshake/handshake.js';
import type { Crypto } from '../../../src/core/ports.js';
import { NodeCrypto } from '../../../src/crypto/node-crypto.js';
import { type ConsumedInitiation, consumeInitiation } from './consume-initiation.js';
import { dh, dhPublic } from './whitepaper-handshake.js';

const crypto = new NodeCrypto();
export const TIMESTAMP = Uint8Array.of(0x40, 0, 0, 0, 0x6a, 1, 2, 3, 0x3b, 0x9a, 0xc9, 0xff);
export const INITIATOR_INDEX = 0x9112_2334 | 0;
export const RESPONDER_INDEX = 0x7aab_bccd;

interface PairOptions {
  readonly keys?: readonly Uint8Array[];
  readonly initiatorIndex?: number;
  readonly responderIndex?: number;
}

/** An initiator and a responder that know each other, with fixed ephemerals. What fails here fails the test. */
export class HandshakePair {
  readonly inputs;
  readonly initiator: LocalIdentity;
  readonly responder: LocalIdentity;
  readonly asSeenByInitiator: RemoteIdentity;
  readonly asSeenByResponder: RemoteIdentity;

  constructor({ keys, initiatorIndex = INITIATOR_INDEX, responderIndex = RESPONDER_INDEX }: PairOptions = {}) {
    const [initiatorStatic, responderStatic, initiatorEphemeral, responderEphemeral, presharedKey] =
      keys ?? [0x11, 0x22, 0x33, 0x44, 0x99].map((fill) => new Uint8Array(32).fill(fill));
    this.inputs = {
      initiatorStatic,
      responderStatic,
      initiatorEphemeral,
      responderEphemeral,
      presharedKey,
      timestamp: TIMESTAMP,
      initiatorIndex,
      responderIndex,
    };
    this.initiator = identityOf(initiatorStatic);
    this.responder = identityOf(responderStatic);
    const staticStatic = dh(initiatorStatic, this.responder.staticPublic);
    this.asSeenByInitiator = { staticPublic: this.responder.staticPublic, presharedKey, staticStatic };
    this.asSeenByResponder = { staticPublic: this.initiator.staticPublic, presharedKey, staticStatic };
  }

  initiate(
    by: Crypto = crypto,
    local = this.initiator,
    remote = this.asSeenByInitiator,
  ): { message: Uint8Array; state: InitiatorState } {
    const { initiatorEphemeral, initiatorIndex, timestamp } = this.inputs;
    const created = createInitiation(by, local, remote, initiatorEphemeral, initiatorIndex, timestamp);
    assert.ok(created !== undefined);
    return created;
  }

  tryInitiate(remote: RemoteIdentity): unknown {
    return createInitiation(crypto, this.initiator, remote, this.inputs.initiatorEphemeral, 1, TIMESTAMP);
  }

  tryConsume(message: Uint8Array, by: Crypto = crypto): ConsumedInitiation | string {
    return consumeInitiation(by, this.responder, message, () => this.asSeenByResponder);
  }

  consume(message: Uint8Array, by: Crypto = crypto): ConsumedInitiation {
    const consumed = this.tryConsume(message, by);
    assert.ok(typeof consumed !== 'string', `refused: ${consumed}`);
    return consumed;
  }

  respond(consumed: ConsumedInitiation, by: Crypto = crypto): { message: Uint8Array; keys: TransportKeys } {
    const { responderEphemeral, responderIndex } = this.inputs;
    const created = createResponse(by, consumed, this.asSeenByResponder, responderEphemeral, responderIndex);
    assert.ok(created !== undefined);
    return created;
  }

  tryConclude(state: InitiatorState, message: Uint8Array): TransportKeys | string {
    return consumeResponse(this.initiator, this.asSeenByInitiator, state, message);
  }

  conclude(state: InitiatorState, message: Uint8Array): TransportKeys {
    const keys = this.tryConclude(state, message);
    assert.ok(typeof keys !== 'string', `refused: ${keys}`);
    return keys;
  }
}

export function identityOf(staticPrivate: Uint8Array): LocalIdentity {
  return { staticPrivate, staticPublic: dhPublic(staticPrivate) };
}
