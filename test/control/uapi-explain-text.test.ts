import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';

import { formatExplanation, parseExplanation } from '../../src/control/uapi-explain-text.js';
import { WireGuardError } from '../../src/core/errors.js';
import { VERDICT_COUNT, Verdict } from '../../src/core/packets/verdict.js';

const KEY = new Uint8Array(32).fill(7);

describe('the answer to explain', () => {
  it('is read as it was written: reasons, and packets that were lost', () => {
    const verdicts = new Float64Array(VERDICT_COUNT).fill(9);
    const ofPeer = new Float64Array(VERDICT_COUNT);
    ofPeer[Verdict.DisallowedSource] = 7;

    const text = textOf({
      verdicts,
      peers: [{ publicKey: KEY, reason: 'No answer: use "up …".\nNext', verdicts: ofPeer }],
    });
    const { drops, peers } = parseExplanation(Buffer.from(text));

    assert.equal(drops.get('no_peer'), 9);
    assert.ok(!drops.has('pass') && !drops.has('keepalive') && !drops.has('handshake') && !drops.has('staged'));
    assert.deepEqual(peers, [
      { publicKey: KEY, reason: 'No answer: use "up ...". Next', drops: new Map([['disallowed_source', 7]]) },
    ]);
  });

  it('keeps the rules of the protocol: a line is ASCII and has no end inside', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (reason) => {
        const text = textOf({ verdicts: [], peers: [{ publicKey: KEY, reason, verdicts: [] }] });
        assert.match(text, /^public_key=[0-9a-f]{64}\nreason=[ -~]*\nerrno=0\n\n$/);
      }),
    );
  });

  it('comes in chunks for many peers', () => {
    const peers = Array.from({ length: 5_000 }, () => ({
      publicKey: KEY,
      reason: 'There is a session.',
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
