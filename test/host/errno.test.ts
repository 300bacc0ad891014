import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { countersByErrno, errnoName } from '../../src/host/errno.js';

describe('error numbers', () => {
  it('have the names of Linux, those that Node lacks included', () => {
    for (const [errno, name] of [
      [1, 'EPERM'],
      [11, 'EAGAIN'],
      [77, 'EBADFD'],
      [90, 'EMSGSIZE'],
      [97, 'EAFNOSUPPORT'],
      [98, 'EADDRINUSE'],
      [101, 'ENETUNREACH'],
      [113, 'EHOSTUNREACH'],
      [250, 'errno 250'],
    ] as const)
      assert.equal(errnoName(errno), name);
  });

  it('are counted by name, zeros left out', () => {
    const counters = new Uint32Array(256);
    counters[90] = 3;
    counters[11] = 1;
    assert.deepEqual(
      [...countersByErrno(counters)],
      [
        ['EAGAIN', 1],
        ['EMSGSIZE', 3],
      ],
    );
  });
});
