/** How a host becomes a node: once, by proofs, and again only where the answer was lost. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';

import type { GatewayDevice, GatewayState } from '../../../src/gateway/gateway-model.js';
import { type EnrolmentRequest, enrol, keyProofOf, makeInvitation } from '../../../src/mesh/hub/enrolment.js';
import { enrolmentSignedBytes, fromBase64, keySignedBytes } from '../../../src/mesh/records/node-record.js';
import { SigningKey } from '../../../src/mesh/records/signing.js';
import { SETTINGS } from '../../server/server-lab.js';

const NOW = Date.UTC(2026, 0, 1);
const NETWORK = Buffer.alloc(16, 1).toString('base64');
const SHARED = new Uint8Array(32).fill(9);

describe('Enrolment', () => {
  it('makes a node, and uses the invitation up', () => {
    const lab = open();
    const { plan, result } = lab.enrol(lab.request('laptop', 1));
    assert.deepEqual([result.name, result.addresses], ['laptop', ['10.77.0.2', 'fd77::2']]);
    assert.deepEqual(
      plan.putInvitations?.map(({ usesLeft, used }) => [usesLeft, used.map(({ node }) => node)]),
      [[0, [result.id]]],
    );
  });

  it('refuses a second host by the same invitation, with the name of the first', () => {
    const lab = open();
    lab.commit(lab.request('laptop', 1));
    assert.throws(() => lab.enrol(lab.request('thief', 2)), {
      code: 'ERR_INVITATION',
      message: /was used at 2026-01-01 00:00 UTC by laptop/,
    });
  });

  it('gives the answer again to the same host, and changes nothing', () => {
    const lab = open();
    const request = lab.request('laptop', 1);
    const made = lab.commit(request);
    const { plan, result } = lab.enrol(request);
    assert.deepEqual([result, plan], [made, { devices: [] }]);
  });

  it('gives it to nobody else: not by the id alone, nor without the proofs, nor after a removal', () => {
    const lab = open();
    const request = lab.request('laptop', 1);
    lab.commit(request);
    const { id } = request;
    assert.throws(() => lab.enrol({ ...lab.request('thief', 2), id }), { code: 'ERR_INVITATION' });
    const keyProof = Buffer.alloc(32).toString('base64');
    assert.throws(() => lab.enrol({ ...request, keyProof }), { code: 'ERR_ENROLMENT' });
    lab.remove(id);
    assert.throws(() => lab.enrol(request), { code: 'ERR_INVITATION' });
  });
});

function open() {
  const expiresAtUnixMs = NOW + 3_600_000;
  const { invitation } = makeInvitation({ expiresAtUnixMs }, { networkId: NETWORK, createdBy: 'test', nowUnixMs: NOW });
  let state: GatewayState = { settings: SETTINGS, rules: [], devices: [], invitations: [invitation], revision: 1 };
  const enrolHost = (request: EnrolmentRequest) =>
    enrol(state, {
      request,
      invitationId: invitation.id,
      networkId: NETWORK,
      nowUnixMs: NOW,
      sharedKey: () => SHARED,
    });
  return {
    enrol: enrolHost,
    request: (name: string, byte: number) => requestOf(invitation.id, name, byte),
    /** Enrols, and puts the plan in force. */
    commit(request: EnrolmentRequest): GatewayDevice {
      const { plan, result } = enrolHost(request);
      state = { ...state, devices: plan.devices, invitations: plan.putInvitations ?? [] };
      return result;
    },
    remove(id: string): void {
      const devices = state.devices.map((device) => (device.id === id ? { ...device, deletedAtUnixMs: NOW } : device));
      state = { ...state, devices };
    },
  };
}

function requestOf(invitationId: string, name: string, byte: number): EnrolmentRequest {
  const identity = SigningKey.generate();
  const id = randomBytes(6).toString('hex');
  const publicKey = text(new Uint8Array(32).fill(byte));
  const network = fromBase64(NETWORK);
  const proved = enrolmentSignedBytes(network, invitationId, name, publicKey);
  return {
    id,
    name,
    publicKey,
    identityKey: text(identity.publicKey),
    identityProof: text(identity.sign(proved)),
    keyProof: text(keyProofOf(SHARED, proved)),
    keySignature: text(identity.sign(keySignedBytes(network, id, publicKey, 1))),
  };
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
