import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decode, encode, RECURSION_DESIRED } from 'dns-packet';
import fc from 'fast-check';

import {
  answerLimit,
  answerWithAddress,
  answerWithCode,
  hasAnswer,
  isAnswerTo,
  messageId,
  RCODE,
  readQuery,
  TYPE_A,
  truncated,
  withId,
} from '../../../src/gateway/dns/dns-message.js';
import { MessageReader } from '../../../src/gateway/dns/message-reader.js';
import { framed } from '../../../src/gateway/dns/upstream-query.js';
import { nameservers, Upstreams } from '../../../src/gateway/dns/upstreams.js';

const label = fc.stringMatching(/^[a-z0-9-]{1,20}$/);
const name = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join('.'));

function query(of: string, id = 7, payload?: number): Uint8Array {
  const additionals =
    payload === undefined
      ? []
      : [
          {
            type: 'OPT' as const,
            name: '.',
            udpPayloadSize: payload,
            extendedRcode: 0,
            ednsVersion: 0,
            flags: 0,
            flag_do: false,
            options: [],
          },
        ];
  return encode({
    type: 'query',
    id,
    flags: RECURSION_DESIRED,
    questions: [{ type: 'A', name: of }],
    additionals,
  });
}

describe('DNS messages', () => {
  it('of any name have the question that was asked (RFC 1035 §4.1.2)', () => {
    fc.assert(
      fc.property(name, (asked) => {
        const message = query(asked);
        const question = readQuery(message)!;
        assert.deepEqual([question.name, question.type, question.endAt], [asked, TYPE_A, message.length]);
      }),
    );
  });

  it('of random bytes are never taken for more than they are, and never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        const question = readQuery(bytes);
        if (question !== undefined) assert.ok(question.endAt <= bytes.length);
        isAnswerTo(bytes, 1, { name: 'a', type: 1, endAt: 20 });
      }),
    );
  });

  it('answer only the query with the same id and question, in any case of its letters (RFC 5452 §9.1)', () => {
    const question = readQuery(query('Example.net'))!;
    const answer = encode({ type: 'response', id: 9, questions: [{ type: 'A', name: 'EXAMPLE.net' }] });
    assert.equal(isAnswerTo(answer, 9, question), true);
    assert.equal(isAnswerTo(answer, 8, question), false);
    assert.equal(isAnswerTo(answer, 9, { ...question, name: 'example.org' }), false);
    assert.equal(isAnswerTo(query('example.net', 9), 9, question), false, 'a query is no answer');
  });

  it('keep all but their id when they are handed on', () => {
    const message = query('example.net', 7);
    const sent = withId(message, 0xbeef);
    assert.deepEqual([messageId(message), messageId(sent)], [7, 0xbeef]);
    assert.deepEqual(sent.subarray(2), message.subarray(2));
  });

  it('that the gateway makes are read by others as they were meant', () => {
    const message = query('gateway.internal', 3);
    const question = readQuery(message)!;
    const answer = decode(Buffer.from(answerWithAddress(message, question, Uint8Array.of(10, 0, 0, 1))));
    assert.deepEqual(
      [answer.id, answer.type, answer.answers?.map((record) => 'data' in record && record.data)],
      [3, 'response', ['10.0.0.1']],
    );
    assert.equal(decode(Buffer.from(answerWithAddress(message, question))).answers?.length, 0);
    assert.equal(hasAnswer(answerWithCode(message, question, RCODE.Refused)), false);
    assert.equal((decode(Buffer.from(answerWithCode(message, question, RCODE.ServFail))).flags ?? 0) & 15, 2);
  });

  it('that do not fit are cut to their question, with TC set (RFC 2181 §9); EDNS says what fits (RFC 6891 §6.2.3)', () => {
    const question = readQuery(query('example.net'))!;
    const answers = Array.from({ length: 60 }, (_, i) => ({
      type: 'A' as const,
      name: 'example.net',
      ttl: 1,
      data: `10.0.0.${i}`,
    }));
    const long = encode({ type: 'response', id: 7, questions: [{ type: 'A', name: 'example.net' }], answers });
    const short = decode(Buffer.from(truncated(long, question)));
    assert.deepEqual([short.flag_tc, short.answers?.length], [true, 0]);
    assert.equal(answerLimit(query('example.net'), question), 512);
    assert.equal(answerLimit(query('example.net', 7, 1_232), question), 1_232);
  });

  it('come out of a stream whole, however it is cut (RFC 1035 §4.2.2)', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 }),
        fc.integer({ min: 1, max: 40 }),
        (messages, step) => {
          const out: Uint8Array[] = [];
          const reader = new MessageReader((message) => out.push(Uint8Array.from(message)));
          const stream = Buffer.concat(messages.map(framed));
          for (let at = 0; at < stream.length; at += step) reader.take(stream.subarray(at, at + step));
          assert.deepEqual(
            out,
            messages.map((message) => Uint8Array.from(message)),
          );
        },
      ),
    );
  });
});

describe('the resolvers of a host', () => {
  it('are those of resolv.conf, at most three; given ones go before', () => {
    const text =
      '# a comment\nnameserver 192.0.2.1\n  nameserver 2001:db8::1\nnameserver nonsense\nnameserver fe80::1%eth0\nnameserver 192.0.2.4\n';
    assert.deepEqual(nameservers(text), ['192.0.2.1', '2001:db8::1', 'fe80::1%eth0']);
    assert.deepEqual(new Upstreams(['192.0.2.9']).servers, ['192.0.2.9']);
    assert.deepEqual(new Upstreams([], '/nonexistent').servers, ['127.0.0.1']);
  });
});
