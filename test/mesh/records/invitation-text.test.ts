/** Invitations as texts: what was written is read, and everything else is refused without repeating it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';

import { formatInvitation, parseInvitation } from '../../../src/mesh/records/invitation-text.js';

const key = (byte: number): string => Buffer.alloc(32, byte).toString('base64');
const INVITATION = {
  id: 'abcdef012345',
  network: 'home',
  networkId: Buffer.alloc(16, 5).toString('base64'),
  hubKey: key(1),
  hubEndpoint: 'hub.example.net:51820',
  carrierUrl: 'wss://hub.example.net/carry',
  hubAddress: 'fd00::1',
  lobbyAddress: 'fd00::2',
  privateKey: key(2),
  signingKey: key(3),
  expiresAtUnixMs: 1_800_000_000_000,
};

describe('An invitation', () => {
  it('is read as it was written, with spaces around it', () => {
    assert.deepEqual(parseInvitation(`\n ${formatInvitation(INVITATION)}\n`), INVITATION);
    const { carrierUrl: _, ...without } = INVITATION;
    assert.deepEqual(parseInvitation(formatInvitation(without)), without);
  });

  it('that was cut off, or is none, is refused in a sentence that does not repeat it', () => {
    const text = formatInvitation(INVITATION);
    for (const bad of [text.slice(0, -9), text.slice(0, 60), 'wiretype-invite:', 'hello', `${text}${text}`])
      assert.throws(
        () => parseInvitation(bad),
        (error: Error & { code?: string }) =>
          error.code === 'ERR_INVITATION' && !error.message.includes(bad.slice(20, 60) || '\0'),
      );
  });

  it('is refused by a code, whatever the text', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `wiretype-invite:${text}`),
          fc.json().map(asInvitation),
        ),
        (text) => {
          assert.throws(() => parseInvitation(text), { code: 'ERR_INVITATION' });
        },
      ),
    );
  });
});

function asInvitation(json: string): string {
  return `wiretype-invite:${Buffer.from(json).toString('base64url')}`;
}
