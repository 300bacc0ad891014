import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';

import { explainText } from '../../src/control/explain-text.js';
import { formatExplanation, parseExplanation } from '../../src/control/uapi-explain-text.js';
import { WireGuardError } from '../../src/core/errors.js';
import { VERDICT_COUNT, Verdict } from '../../src/core/packets/verdict.js';
import type { ReasonCode } from '../../src/core/session-reason.js';

const KEY = new Uint8Array(32).fill(7);
const CODES: readonly ReasonCode[] = [
  'session',
  'link-down',
  'no-private-key',
  'unusable-key',
  'replayed-timestamp',
  'mac1',
  'unconfirmed',
  'no-answer',
];

describe('the answer to explain', () => {
  it('is read as it was written: reasons, and packets that were lost', () => {
    const verdicts = new Float64Array(VERDICT_COUNT).fill(9);
    const ofPeer = new Float64Array(VERDICT_COUNT);
    ofPeer[Verdict.DisallowedSource] = 7;

    const text = textOf({
      verdicts,
      peers: [{ publicKey: KEY, reason: { code: 'link-down', seconds: 0 }, verdicts: ofPeer }],
    });
    const { drops, peers } = parseExplanation(Buffer.from(text));

    assert.equal(drops.get('no_peer'), 9);
    assert.ok(!drops.has('pass') && !drops.has('keepalive') && !drops.has('handshake') && !drops.has('staged'));
    assert.deepEqual(peers, [
      {
        publicKey: KEY,
        reasonCode: 'link-down',
        reason: 'The link is down: bring it up with "ip link set ... up".',
        drops: new Map([['disallowed_source', 7]]),
      },
    ]);
  });

  it('keeps the rules of the protocol for every reason: a line is ASCII and has no end inside', () => {
    for (const code of CODES) {
      const text = textOf({ verdicts: [], peers: [{ publicKey: KEY, reason: { code, seconds: 35 }, verdicts: [] }] });
      assert.match(text, /^public_key=[0-9a-f]{64}\nreason_code=[a-z0-9-]+\nreason=[A-Z][ -~]*\.\nerrno=0\n\n$/);
    }
    assert.match(explainText({ code: 'no-answer', seconds: 35 }), /^No answer for 35 s: /);
  });

  it('comes in chunks for many peers', () => {
    const peers = Array.from({ length: 5_000 }, () => ({
      publicKey: KEY,
      reason: { code: 'session', seconds: 0 } as const,
      verdicts: [],
    }));
    const chunks = [...formatExplanation({ verdicts: [], peers })];

    assert.ok(chunks.length > 1);
    assert.equal(parseExplanation(Buffer.concat([...chunks, Buffer.from('errno=0\n\n')])).peers.length, 5_000);
  });

  it('is refused where it is cut short or makes no sense', () => {
    for (const text of ['', '\n', 'reason=x\n', 'public_key=abc\nerrno=0\n\n', `public_key=${'07'.repeat(32)}\n`]) {
      assert.throws(() => parseExplanation(Buffer.from(text)), { code: 'ERR_CONTROL_REPLY' }, JSON.stringify(text));
    }
    assert.throws(() => parseExplanation(Buffer.from('errno=5\n\n')), { code: 'ERR_CONTROL_REFUSED' });
    assert.deepEqual(parseExplanation(Buffer.from('unknown=1\nerrno=0\n\n')).peers, []);
    fc.assert(
      fc.property(arbitraryReply(), (reply) => {
        try {
          parseExplanation(reply);
        } catch (error) {
          assert.ok(error instanceof WireGuardError);
        }
      }),
    );
  });
});

/** Bytes of any kind, and lines that nearly make sense. */
function arbitraryReply(): fc.Arbitrary<Buffer> {
  const line = fc.oneof(
    fc.constantFrom(`public_key=${'07'.repeat(32)}`, 'public_key=7', 'reason=x', 'dropped_no_peer=9', 'errno=0', ''),
    fc.string({ unit: 'binary', maxLength: 20 }),
  );
  return fc.oneof(
    fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
    fc.array(line).map((lines) => Buffer.from(`${lines.join('\n')}\n\n`)),
  );
}

function textOf(explanation: Parameters<typeof formatExplanation>[0]): string {
  return `${Buffer.concat([...formatExplanation(explanation)]).toString('latin1')}errno=0\n\n`;
}
