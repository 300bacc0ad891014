/** Signed records: published vectors, and what is refused. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';

import {
  keySignedBytes,
  type NodeRecord,
  networkSignedBytes,
  problemOfRecord,
} from '../../../src/mesh/records/node-record.js';
import { isSignedBy, SigningKey } from '../../../src/mesh/records/signing.js';

interface Vector {
  readonly networkId: string;
  readonly record: NodeRecord;
  readonly networkSigned: string;
  readonly keySigned?: string;
  readonly signingKey: string;
}

const VECTORS: readonly Vector[] = JSON.parse(readFileSync('test/vectors/mesh-records.json', 'utf8'));
const NOW = Date.UTC(2026, 0, 1);

describe('A record', () => {
  it('has the bytes and signatures of the published vectors', () => {
    for (const { networkId, record, networkSigned, keySigned, signingKey } of VECTORS) {
      const network = Buffer.from(networkId, 'base64');
      const bytes = networkSignedBytes(network, record.id, record);
      assert.equal(Buffer.from(bytes).toString('hex'), networkSigned);
      assert.ok(isSignedBy(Buffer.from(signingKey, 'base64'), bytes, Buffer.from(record.signature, 'base64')));
      if (keySigned === undefined) continue;
      const key = keySignedBytes(network, record.id, record.publicKey, record.keySeq);
      assert.equal(Buffer.from(key).toString('hex'), keySigned);
    }
  });

  it('is good as it was signed, and refused with any other field', () => {
    const { record, check } = signedRecord();
    assert.equal(problemOfRecord(record, check), undefined);
    const changes: Partial<NodeRecord>[] = [
      { id: '000000000001' },
      { name: 'other' },
      { addresses: ['10.0.0.9'] },
      { tags: ['admin'] },
      { routes: ['0.0.0.0/0'] },
      { notAfterUnixMs: NOW + 9e9 },
      { serial: 99 },
    ];
    for (const change of changes)
      assert.equal(problemOfRecord({ ...record, ...change }, check), 'network-signature', JSON.stringify(change));
    const otherKey = Buffer.alloc(32, 9).toString('base64');
    assert.equal(problemOfRecord({ ...record, publicKey: otherKey }, check), 'key-signature');
    assert.equal(problemOfRecord({ ...record, keySeq: 2 }, check), 'key-signature');
    assert.equal(problemOfRecord({ ...record, addresses: ['none'] }, check), 'malformed');
  });

  it('is refused when its time is over, and when a newer one was seen', () => {
    const { record, check } = signedRecord();
    assert.equal(problemOfRecord(record, { ...check, nowUnixMs: record.notAfterUnixMs + 1 }), 'expired');
    assert.equal(problemOfRecord(record, { ...check, seen: { serial: record.serial + 1, keySeq: 0 } }), 'older');
    assert.equal(problemOfRecord(record, { ...check, seen: { serial: 0, keySeq: 5 } }), 'older');
    assert.equal(
      problemOfRecord(record, { ...check, seen: { serial: record.serial, keySeq: record.keySeq } }),
      undefined,
    );
  });

  it('has other bytes for any other fields', () => {
    const network = Buffer.alloc(16);
    const fields = fc.record({
      name: fc.string(),
      tags: fc.array(fc.string()),
      routes: fc.constantFrom<string[]>([], ['10.0.0.0/8'], ['10.0.0.0/9']),
      addresses: fc.constantFrom(['10.0.0.1'], ['10.0.0.1', 'fd00::1'], ['fd00::1']),
      notAfterUnixMs: fc.nat(),
      serial: fc.nat(),
    });
    fc.assert(
      fc.property(fields, fields, (a, b) => {
        const isSame = JSON.stringify(a) === JSON.stringify(b);
        const bytes = [a, b].map((each) => Buffer.from(networkSignedBytes(network, 'x', each)).toString('hex'));
        return (bytes[0] === bytes[1]) === isSame;
      }),
    );
  });

  it('is never believed because of bytes that are no key or no signature', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ maxLength: 80 }), (key, signature) => {
        assert.equal(isSignedBy(key, Buffer.from('message'), signature), false);
      }),
    );
  });
});

function signedRecord() {
  const [network, identity] = [SigningKey.generate(), SigningKey.generate()];
  const networkId = Buffer.alloc(16, 7);
  const publicKey = Buffer.alloc(32, 3).toString('base64');
  const id = 'abcdef012345';
  const fields = {
    name: 'laptop',
    addresses: ['10.0.0.2', 'fd00::2'],
    tags: ['web'],
    routes: ['192.168.1.0/24'],
    identityKey: Buffer.from(identity.publicKey).toString('base64'),
    notAfterUnixMs: NOW + 1_000_000,
    serial: 4,
  };
  const record: NodeRecord = {
    id,
    ...fields,
    publicKey,
    keySeq: 1,
    keySignature: Buffer.from(identity.sign(keySignedBytes(networkId, id, publicKey, 1))).toString('base64'),
    signature: Buffer.from(network.sign(networkSignedBytes(networkId, id, fields))).toString('base64'),
  };
  return { record, check: { networkId, signingKey: network.publicKey, nowUnixMs: NOW } };
}
