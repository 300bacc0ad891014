import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { CredentialCheck } from '../../../src/proxy/server/credential-check.js';
import { type HandshakeStep, SocksHandshake } from '../../../src/proxy/socks/socks-handshake.js';

const CHECK = new CredentialCheck({ username: 'ann', password: 'secret' });
const LOGIN = [1, 3, ...Buffer.from('ann'), 6, ...Buffer.from('secret')];
const CONNECT_4 = [5, 1, 0, 1, 192, 0, 2, 1, 0, 80];
const CONNECT_NAME = [5, 1, 0, 3, 8, ...Buffer.from('web.test'), 1, 187];
const CONNECT_6 = [5, 1, 0, 4, 0x20, 1, 0xd, 0xb8, ...new Array(11).fill(0), 1, 0, 22];

describe('the dialogue of SOCKS (RFC 1928, RFC 1929)', () => {
  it('chooses no authentication, and reads addresses of all types (RFC 1928 §3, §4, §5)', () => {
    for (const [request, host, port] of [
      [CONNECT_4, '192.0.2.1', 80],
      [CONNECT_NAME, 'web.test', 443],
      [CONNECT_6, '2001:db8::1', 22],
    ] as const) {
      const step = feed(undefined, [[5, 1, 0, ...request, 9, 9]]);
      assert.equal(step.kind, 'request');
      assert.deepEqual([...step.reply], [5, 0]);
      assert.deepEqual(step.kind === 'request' && [step.request, [...step.rest]], [
        { version: 5, command: 'connect', destination: { host, port } },
        [9, 9],
      ]);
    }
  });

  it('wants user name and password where they are set, and refuses everything else (RFC 1929 §2)', () => {
    const accepted = feed(CHECK, [[5, 2, 0, 2, ...LOGIN, ...CONNECT_4]]);
    assert.deepEqual([accepted.kind, ...accepted.reply], ['request', 5, 2, 1, 0]);

    assert.deepEqual(refusal(feed(CHECK, [[5, 1, 0]])), ['credentials', 5, 0xff]);
    for (const wrong of [
      [1, 3, ...Buffer.from('ann'), 6, ...Buffer.from('Secret')],
      [1, 3, ...Buffer.from('bob'), 6, ...Buffer.from('secret')],
      [1, 0, 0],
      [1, 3, ...Buffer.from('ann'), 7, ...Buffer.from('secret2')],
    ])
      assert.deepEqual(refusal(feed(CHECK, [[5, 1, 2], wrong])), ['credentials', 5, 2, 1, 1]);
    assert.deepEqual(refusal(feed(CHECK, [[5, 1, 2], [5]])), ['malformed', 5, 2, 1, 1]);
  });

  it('takes any password where none is wanted, if the client offers nothing else', () => {
    assert.deepEqual([...feed(undefined, [[5, 1, 2, ...LOGIN, ...CONNECT_4]]).reply], [5, 2, 1, 0]);
    assert.deepEqual(refusal(feed(undefined, [[5, 1, 1]])), ['unsupported', 5, 0xff]);
    assert.deepEqual(refusal(feed(undefined, [[5, 0]])), ['unsupported', 5, 0xff]);
  });

  it('answers an unknown command with 7, and an unknown type of address with 8 (RFC 1928 §6)', () => {
    const zeros = [1, 0, 0, 0, 0, 0, 0];
    assert.deepEqual(
      refusal(
        feed(undefined, [
          [5, 1, 0],
          [5, 9, 0, 1, 1, 2, 3, 4, 0, 80],
        ]),
      ),
      ['unsupported', 5, 0, 5, 7, 0, ...zeros],
    );
    assert.deepEqual(
      refusal(
        feed(undefined, [
          [5, 1, 0],
          [5, 1, 0, 2],
        ]),
      ),
      ['unsupported', 5, 0, 5, 8, 0, ...zeros],
    );
    assert.deepEqual(refusal(feed(undefined, [[5, 1, 0], [4]])), ['malformed', 5, 0, 5, 1, 0, ...zeros]);
  });

  it('serves CONNECT of version 4 and 4a where no password is set, and nothing else of it', () => {
    for (const [request, host] of [
      [[4, 1, 0, 80, 192, 0, 2, 1, 0x6d, 0x65, 0], '192.0.2.1'],
      [[4, 1, 0, 80, 0, 0, 0, 7, 0, ...Buffer.from('web.test'), 0], 'web.test'],
    ] as const) {
      const step = feed(undefined, [request]);
      assert.deepEqual(step.kind === 'request' && step.request, {
        version: 4,
        command: 'connect',
        destination: { host, port: 80 },
      });
      assert.deepEqual(refusal(feed(CHECK, [request])), ['credentials', 0, 0x5d, 0, 0, 0, 0, 0, 0]);
    }
    const bind = [4, 2, 0, 80, 192, 0, 2, 1, 0];
    assert.deepEqual(refusal(feed(undefined, [bind])), ['unsupported', 0, 0x5b, 0, 0, 0, 0, 0, 0]);
    assert.deepEqual(refusal(feed(undefined, [[4, 1, 0, 80, 1, 1, 1, 1, ...new Array(700).fill(65)]])).slice(0, 1), [
      'malformed',
    ]);
  });

  it('comes to the same result however the bytes are cut, and to none before the last byte', () => {
    const whole = [5, 2, 0, 2, ...LOGIN, ...CONNECT_NAME];
    const expected = outcome(feed(CHECK, [whole]), []);
    for (let at = 1; at < whole.length; at++) {
      const handshake = new SocksHandshake(CHECK);
      const first = handshake.take(Uint8Array.from(whole.slice(0, at)));
      assert.equal(first.kind, 'more', `cut at ${at}`);
      const second = handshake.take(Uint8Array.from(whole.slice(at)));
      assert.deepEqual(outcome(second, [...first.reply]), expected, `cut at ${at}`);
    }
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 5 })), (cuts) => {
        const parts: number[][] = [];
        let rest = whole;
        for (const cut of cuts) {
          if (rest.length > cut) parts.push(rest.slice(0, cut));
          if (rest.length > cut) rest = rest.slice(cut);
        }
        const replies: number[] = [];
        assert.deepEqual(outcome(feed(CHECK, [...parts, rest], replies), replies), expected);
      }),
    );
  });

  it('takes arbitrary bytes without an exception, and never keeps more than one unfinished message', () => {
    const start = fc.constantFrom<number[]>([], [5, 1, 0], [5, 1, 2], [5, 1, 2, ...LOGIN], [4, 1], [5, 1, 0, 5, 3, 0]);
    const chunks = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 });
    fc.assert(
      fc.property(fc.boolean(), start, chunks, (isOpen, begin, parts) => {
        const handshake = new SocksHandshake(isOpen ? undefined : CHECK);
        let step = handshake.take(Uint8Array.from(begin));
        for (const part of parts) {
          if (step.kind !== 'more') break;
          step = handshake.take(part);
          assert.ok(handshake.waitingBytes <= 600 + 300);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

/** Feeds chunks until there is a result. The replies before the last chunk are appended to `replies`. */
function feed(
  check: CredentialCheck | undefined,
  chunks: readonly (readonly number[])[],
  replies?: number[],
): HandshakeStep {
  const handshake = new SocksHandshake(check);
  const all: number[] = replies ?? [];
  let step: HandshakeStep = { kind: 'more', reply: new Uint8Array(0) };
  for (const chunk of chunks) {
    step = handshake.take(Uint8Array.from(chunk));
    if (step.kind === 'more') all.push(...step.reply);
  }
  return replies === undefined ? { ...step, reply: Uint8Array.from([...all, ...step.reply]) } : step;
}

function outcome(step: HandshakeStep, before: readonly number[]): unknown {
  assert.equal(step.kind, 'request');
  return { request: step.kind === 'request' && step.request, reply: [...before, ...step.reply] };
}

function refusal(step: HandshakeStep): (string | number)[] {
  return [step.kind === 'refused' ? step.refusal : step.kind, ...step.reply];
}
