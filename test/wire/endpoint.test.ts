import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import {
  addressLength,
  copyEndpoint,
  ENDPOINT_WORDS,
  Endpoint,
  endpointEquals,
  FAMILY_PATH,
  isReachable,
  remoteEquals,
} from '../../src/wire/endpoint.js';

const IPV4 = Uint8Array.of(192, 0, 2, 1);
const IPV6 = Uint8Array.from({ length: 16 }, (_, i) => i + 1);

describe('Endpoint', () => {
  it('keeps address, port and scope of both families', () => {
    const four = Endpoint.from(IPV4, 51_820);
    assert.deepEqual([four.family, four.port, four.scopeId], [4, 51_820, 0]);
    assert.deepEqual(four.address, IPV4);

    const six = Endpoint.from(IPV6, 65_535, 0xffff_fffe);
    assert.deepEqual([six.family, six.port, six.scopeId], [6, 65_535, 0xffff_fffe]);
    assert.deepEqual(six.address, IPV6);
  });

  it('distinguishes remote endpoints by every field', () => {
    const endpoint = Endpoint.from(IPV6, 1, 1);
    for (const other of [
      Endpoint.from(IPV6, 2, 1),
      Endpoint.from(IPV6, 1, 2),
      Endpoint.from(IPV6.toReversed(), 1, 1),
      Endpoint.from(IPV6.subarray(0, 4), 1, 1),
    ]) {
      assert.equal(remoteEquals(endpoint.words, 0, other.words, 0), false);
      assert.equal(endpointEquals(endpoint.words, 0, other.words, 0), false);
    }
  });

  it('names a path by 16 bytes, without port and scope, and is reachable all the same', () => {
    const path = Endpoint.forPath(IPV6);
    assert.deepEqual([path.family, path.port, path.scopeId, path.hasSource], [FAMILY_PATH, 0, 0, false]);
    assert.deepEqual(path.address, IPV6);
    assert.equal(isReachable(path.words, 0), true);
    assert.equal(remoteEquals(path.words, 0, Endpoint.from(IPV6, 0).words, 0), false);
    assert.deepEqual([4, 6, FAMILY_PATH].map(addressLength), [4, 16, 16]);
  });

  it('is reachable unless its port is 0', () => {
    for (const port of [1, 255, 256, 65_535]) assert.equal(isReachable(Endpoint.from(IPV4, port).words, 0), true);
    assert.equal(isReachable(Endpoint.from(IPV4, 0).words, 0), false);
    assert.equal(isReachable(Endpoint.from(IPV6, 0, 3).words, 0), false);
  });

  it('compares the remote without the source, and the whole with it', () => {
    const endpoint = Endpoint.from(IPV4, 1);
    const copy = endpoint.clone();
    assert.equal(endpointEquals(endpoint.words, 0, copy.words, 0), true);

    copy.words[6] = 3;
    assert.equal(copy.hasSource, true);
    assert.equal(remoteEquals(endpoint.words, 0, copy.words, 0), true);
    assert.equal(endpointEquals(endpoint.words, 0, copy.words, 0), false);

    copy.words[10] = 9;
    copy.clearSource();
    assert.equal(copy.hasSource, false);
    assert.equal(endpointEquals(endpoint.words, 0, copy.words, 0), true);
  });

  it('is copied as a record of 11 words', () => {
    const records = new Int32Array(3 * ENDPOINT_WORDS).fill(-1);
    const endpoint = Endpoint.from(IPV6, 7);
    copyEndpoint(endpoint.words, 0, records, ENDPOINT_WORDS);
    assert.deepEqual(records.slice(ENDPOINT_WORDS, 2 * ENDPOINT_WORDS), endpoint.words);
    assert.ok(records.subarray(0, ENDPOINT_WORDS).every((word) => word === -1));
    assert.ok(records.subarray(2 * ENDPOINT_WORDS).every((word) => word === -1));
  });
});
