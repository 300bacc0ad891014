import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';

import type { Crypto } from '../../src/core/ports.js';
import { NodeCrypto } from '../../src/crypto/node-crypto.js';
import { ReturningCrypto } from '../returning-crypto.js';
import { fromHex, readVectors, toHex } from '../vectors.js';

/** Tests the contract of the `Crypto` port: published vectors, and agreement with `NodeCrypto`. */
export function describeCrypto(name: string, makeCrypto: () => Crypto): void {
  describe(`${name} as Crypto`, () => {
    describeX25519(makeCrypto);
    describeHashes(makeCrypto);
    describeSealing(makeCrypto);
    describeArguments(makeCrypto);
  });
}

function describeX25519(makeCrypto: () => Crypto): void {
  it('multiplies as RFC 7748 §5.2 does, and ignores the top bit of a public key', () => {
    const crypto = new ReturningCrypto(makeCrypto());
    const { scalar_mult } = readVectors<Rfc7748>('rfc/rfc7748.json');
    for (const { scalar, u, out } of scalar_mult)
      assert.equal(toHex(crypto.x25519(fromHex(scalar), fromHex(u))!), out, scalar);
  });

  it('arrives at the values of RFC 7748 §5.2 after 1 and 1,000 iterations', () => {
    const crypto = new ReturningCrypto(makeCrypto());
    const { iterated_from_9: expected } = readVectors<Rfc7748>('rfc/rfc7748.json');
    let scalar: Uint8Array = new Uint8Array(32).fill(9, 0, 1);
    let u = scalar;
    for (let i = 1; i <= 1_000; i++) {
      const product = crypto.x25519(scalar, u)!;
      u = scalar;
      scalar = product;
      if (i === 1) assert.equal(toHex(scalar), expected['1']);
    }
    assert.equal(toHex(scalar), expected['1000']);
  });

  it('derives the keys and the secret of RFC 7748 §6.1', () => {
    const crypto = new ReturningCrypto(makeCrypto());
    const { diffie_hellman: dh } = readVectors<Rfc7748>('rfc/rfc7748.json');
    assert.equal(toHex(crypto.x25519PublicKey(fromHex(dh.a_private))), dh.a_public);
    assert.equal(toHex(crypto.x25519PublicKey(fromHex(dh.b_private))), dh.b_public);
    assert.equal(toHex(crypto.x25519(fromHex(dh.a_private), fromHex(dh.b_public))!), dh.shared);
    assert.equal(toHex(crypto.x25519(fromHex(dh.b_private), fromHex(dh.a_public))!), dh.shared);
  });

  for (const file of ['x25519_test', 'x25519_asn_test'])
    it(`passes Wycheproof, and gives no secret for a low-order point (${file})`, () => {
      const crypto = new ReturningCrypto(makeCrypto());
      let lowOrderPoints = 0;
      for (const { tests } of readVectors<Wycheproof<XdhTest>>(`wycheproof/${file}.json`).testGroups)
        for (const test of tests) {
          const [privateKey, publicKey] = [test.private.replace(DER_PRIVATE, ''), test.public.replace(DER_PUBLIC, '')];
          if (privateKey.length !== 64 || publicKey.length !== 64) continue; // of another curve, or no key at all
          const shared = crypto.x25519(fromHex(privateKey), fromHex(publicKey));
          const isZero = /^0*$/.test(test.shared);
          if (isZero) lowOrderPoints++;
          assert.equal(shared && toHex(shared), isZero ? undefined : test.shared, `${test.tcId}: ${test.comment}`);
        }
      assert.equal(lowOrderPoints, 31);
    });

  it('reads a private key again when its array holds another one', () => {
    const crypto = new ReturningCrypto(makeCrypto());
    const privateKey = new Uint8Array(32).fill(1);
    const before = crypto.x25519PublicKey(privateKey);
    privateKey.fill(2);
    assert.deepEqual(crypto.x25519PublicKey(privateKey), crypto.x25519PublicKey(new Uint8Array(32).fill(2)));
    assert.notDeepEqual(crypto.x25519PublicKey(privateKey), before);
  });
}

/** The DER bytes in front of the 32 key bytes (RFC 8410 §4, §7). */
const DER_PUBLIC = /^302a300506032b656e032100/;
const DER_PRIVATE = /^302e020100300506032b656e04220420/;

function describeHashes(makeCrypto: () => Crypto): void {
  it('hashes as the known answers of BLAKE2s say, in one part or in several', () => {
    const crypto = new ReturningCrypto(makeCrypto());
    const answers = readVectors<Blake2Answer[]>('blake2/blake2s-kat.json').filter(({ key }) => key === '');
    assert.equal(answers.length, 256);
    for (const { in: input, out } of answers) {
      const data = fromHex(input);
      const third = Math.floor(data.length / 3);
      assert.equal(toHex(crypto.hash(data)), out);
      assert.equal(toHex(crypto.hash(data.subarray(0, third), data.subarray(third))), out);
    }
  });

  it('hashes "abc" to the value of RFC 7693 appendix B', () => {
    const { blake2s_abc } = readVectors<Rfc7693>('rfc/rfc7693.json');
    assert.equal(toHex(new ReturningCrypto(makeCrypto()).hash(new TextEncoder().encode('abc'))), blake2s_abc);
  });

  it('makes the keyed 16-byte MACs of RFC 7693 appendix E', () => {
    const crypto = new ReturningCrypto(makeCrypto());
    const items = readVectors<Rfc7693>('rfc/rfc7693.json').selftest.items.filter(({ outlen }) => outlen === 16);
    assert.equal(items.length, 6);
    for (const { inlen, key, keyed } of items)
      assert.equal(toHex(crypto.mac(fromHex(key), selftestSequence(inlen))), keyed, `${inlen} bytes`);
  });

  it('makes an HMAC as RFC 2104 says, for keys up to and beyond a block', () => {
    const crypto = new ReturningCrypto(makeCrypto());
    const key = fc.uint8Array({ maxLength: 64 });
    fc.assert(
      fc.property(key, fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 3 }), (key, parts) => {
        assert.deepEqual(crypto.hmac(key, ...parts), rfc2104(crypto, key, parts));
      }),
    );
  });
}

/** H((K ⊕ opad) ‖ H((K ⊕ ipad) ‖ text)), block size 64. */
function rfc2104(crypto: ReturningCrypto, key: Uint8Array, parts: readonly Uint8Array[]): Uint8Array {
  const padded = new Uint8Array(64);
  padded.set(key);
  const inner = crypto.hash(
    padded.map((byte) => byte ^ 0x36),
    ...parts,
  );
  return crypto.hash(
    padded.map((byte) => byte ^ 0x5c),
    inner,
  );
}

function describeSealing(makeCrypto: () => Crypto): void {
  it('passes Wycheproof for XChaCha20-Poly1305', () => {
    const crypto = new ReturningCrypto(makeCrypto());
    for (const test of aeadTests('xchacha20_poly1305', 192)) {
      const [key, nonce] = [fromHex(test.key), fromHex(test.iv)];
      checkAead(
        test,
        (plaintext, associatedData) => crypto.xSeal(key, nonce, plaintext, associatedData),
        (sealed, associatedData) => crypto.xOpen(key, nonce, sealed, associatedData),
      );
    }
  });

  it('opens nothing that is shorter than a tag', () => {
    const crypto = new ReturningCrypto(makeCrypto());
    for (let length = 0; length < 16; length++) {
      const sealed = new Uint8Array(length);
      assert.equal(crypto.open(new Uint8Array(32), sealed, NOTHING), undefined);
      assert.equal(crypto.xOpen(new Uint8Array(32), new Uint8Array(24), sealed, NOTHING), undefined);
    }
  });

  it('seals as NodeCrypto does', () => {
    const crypto = new ReturningCrypto(makeCrypto());
    const other = new ReturningCrypto(new NodeCrypto());
    const bytes = fc.uint8Array({ maxLength: 80 });
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), bytes, bytes, (key, plaintext, associatedData) => {
        const sealed = crypto.seal(key, plaintext, associatedData);
        assert.deepEqual(sealed, other.seal(key, plaintext, associatedData));
        assert.deepEqual(crypto.open(key, sealed, associatedData), plaintext);
      }),
    );
  });
}

function describeArguments(makeCrypto: () => Crypto): void {
  it('takes views into larger buffers, and changes no argument', () => {
    const crypto = new ReturningCrypto(makeCrypto());
    const bytes = Uint8Array.from({ length: 300 }, (_, i) => i);
    const before = bytes.slice();
    const key = bytes.subarray(3, 35);
    const data = bytes.subarray(40, 99);

    const sealed = crypto.seal(key, data, data);
    assert.deepEqual(crypto.open(key, sealed, data), data.slice());
    assert.deepEqual(crypto.hash(data, key), crypto.hash(data.slice(), key.slice()));
    assert.deepEqual(crypto.mac(key, data), crypto.mac(key.slice(), data.slice()));
    assert.deepEqual(crypto.x25519(key, bytes.subarray(7, 39)), crypto.x25519(key.slice(), bytes.slice(7, 39)));
    assert.deepEqual(bytes, before);
  });

  it('writes no byte behind a result, wherever the result goes', () => {
    const crypto = makeCrypto();
    const [key, nonce, text] = [new Uint8Array(32).fill(7), new Uint8Array(24).fill(8), new Uint8Array(40).fill(9)];
    const results: readonly [number, (out: Uint8Array) => unknown][] = [
      [32, (out) => crypto.x25519(out, key, key)],
      [32, (out) => crypto.x25519PublicKey(out, key)],
      [32, (out) => crypto.hash(out, text)],
      [16, (out) => crypto.mac(out, key, text)],
      [32, (out) => crypto.hmac(out, key, text)],
      [56, (out) => crypto.seal(out, key, text, text)],
      [56, (out) => crypto.xSeal(out, key, nonce, text, text)],
    ];
    for (const [lengthBytes, write] of results)
      for (const at of [0, 1, 3, 8]) {
        const memory = new Uint8Array(100).fill(0xee);
        write(memory.subarray(at, at + lengthBytes));
        const around = memory.filter((_, i) => i < at || i >= at + lengthBytes);
        assert.ok(
          around.every((byte) => byte === 0xee),
          `${write}, at ${at}`,
        );
        assert.ok(!memory.subarray(at, at + lengthBytes).every((byte) => byte === 0xee));
      }
  });

  it('may write a hash, a MAC or a secret over its own argument', () => {
    const crypto = makeCrypto();
    const expected = new ReturningCrypto(crypto);
    const start = Uint8Array.from({ length: 32 }, (_, i) => 3 * i);
    const over = (write: (bytes: Uint8Array) => unknown): Uint8Array => {
      const bytes = start.slice();
      write(bytes);
      return bytes;
    };
    assert.deepEqual(
      over((bytes) => crypto.hash(bytes, bytes, start)),
      expected.hash(start, start),
    );
    assert.deepEqual(
      over((bytes) => crypto.hmac(bytes, bytes, start)),
      expected.hmac(start, start),
    );
    assert.deepEqual(
      over((bytes) => crypto.hmac(bytes, start, bytes)),
      expected.hmac(start, start),
    );
    assert.deepEqual(
      over((bytes) => crypto.x25519(bytes, bytes, start)),
      expected.x25519(start, start),
    );
    assert.deepEqual(
      over((bytes) => crypto.x25519PublicKey(bytes, bytes)),
      expected.x25519PublicKey(start),
    );
  });
}

/** All tests with a nonce of `ivSize` bits; the others are no nonce of this cipher. */
export function aeadTests(algorithm: string, ivSize: number): AeadTest[] {
  const { testGroups } = readVectors<Wycheproof<AeadTest>>(`wycheproof/${algorithm}_test.json`);
  return testGroups.filter((group) => group.ivSize === ivSize).flatMap(({ tests }) => tests);
}

/** Seals and opens one Wycheproof case, or sees it refused. */
export function checkAead(
  test: AeadTest,
  seal: (plaintext: Uint8Array, associatedData: Uint8Array) => Uint8Array,
  open: (sealed: Uint8Array, associatedData: Uint8Array) => Uint8Array | undefined,
): void {
  const what = `${test.tcId}: ${test.comment}`;
  const associatedData = fromHex(test.aad);
  const opened = open(fromHex(test.ct + test.tag), associatedData);
  if (test.result === 'invalid') {
    assert.equal(opened, undefined, what);
  } else {
    assert.equal(toHex(seal(fromHex(test.msg), associatedData)), test.ct + test.tag, what);
    assert.equal(opened && toHex(opened), test.msg, what);
  }
}

/** The input of RFC 7693 appendix E: a Fibonacci generator. */
function selftestSequence(length: number): Uint8Array {
  let a = Math.imul(0xdead_4bad, length);
  let b = 1;
  return Uint8Array.from({ length }, () => {
    const sum = (a + b) | 0;
    a = b;
    b = sum;
    return sum >>> 24;
  });
}

const NOTHING = new Uint8Array(0);

interface Rfc7748 {
  readonly scalar_mult: readonly { scalar: string; u: string; out: string }[];
  readonly iterated_from_9: Readonly<Record<string, string>>;
  readonly diffie_hellman: Readonly<Record<'a_private' | 'a_public' | 'b_private' | 'b_public' | 'shared', string>>;
}

interface Rfc7693 {
  readonly blake2s_abc: string;
  readonly selftest: {
    readonly items: readonly { outlen: number; inlen: number; key: string; keyed: string }[];
  };
}

interface Blake2Answer {
  readonly in: string;
  readonly key: string;
  readonly out: string;
}

interface Wycheproof<Test> {
  readonly testGroups: readonly { readonly ivSize?: number; readonly tests: readonly Test[] }[];
}

interface WycheproofTest {
  readonly tcId: number;
  readonly comment: string;
  readonly result: 'valid' | 'invalid' | 'acceptable';
}

interface XdhTest extends WycheproofTest {
  readonly public: string;
  readonly private: string;
  readonly shared: string;
}

interface AeadTest extends WycheproofTest {
  readonly key: string;
  readonly iv: string;
  readonly aad: string;
  readonly msg: string;
  readonly ct: string;
  readonly tag: string;
}
