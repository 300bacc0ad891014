import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { parseSetReply, readReply, refusal } from '../../src/control/uapi-reply.js';
import { WireGuardError } from '../../src/core/errors.js';

describe('the answer of a daemon', () => {
  it('is read line by line up to its empty line, and errno is separate', () => {
    const reply = Buffer.from('a=1\nb=x=y\nerrno=0\n\nc=2\n');
    const lines: string[][] = [];

    const errno = readReply(reply, (key, start, end) => lines.push([key, reply.toString('latin1', start, end)]));

    assert.equal(errno, 0);
    assert.deepEqual(lines, [
      ['a', '1'],
      ['b', 'x=y'],
    ]);
  });

  for (const [text, errno] of [
    ['errno=0\n\n', 0],
    ['errno=-98\n\n', -98],
    ['errno=98\n\n', 98],
    ['errno=5\nerrno=0\n\n', 0],
    ['errno=2147483647\n\n', 0x7fff_ffff],
  ] as const) {
    it(`has the errno ${errno} of ${JSON.stringify(text)}`, () => {
      assert.equal(parseSetReply(Buffer.from(text)), errno);
    });
  }

  for (const text of [
    '',
    '\n',
    'errno=0',
    'errno=0\n',
    'errno=\n\n',
    'errno=x\n\n',
    'errno=2147483648\n\n',
    'x\nerrno=0\n\n',
  ]) {
    it(`is not understood when it is ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseSetReply(Buffer.from(text)), { code: 'ERR_CONTROL_REPLY' });
    });
  }

  it('is read or not understood, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        try {
          parseSetReply(Buffer.from(bytes));
        } catch (error) {
          assert.ok(error instanceof WireGuardError && error.code === 'ERR_CONTROL_REPLY');
        }
      }),
    );
  });

  it('is a refusal with the number of the system, whatever sign the daemon gave it', () => {
    for (const errno of [98, -98]) assert.equal(refusal('answers', errno).cause, 98);
  });
});
