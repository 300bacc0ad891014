import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';

import { hasStockWg, runOurs, runStock } from './run-wg.js';

const KEY = Buffer.alloc(32, 7).toString('base64');

describe('wg genkey, genpsk and pubkey', () => {
  it('makes clamped private keys, each another one (RFC 7748 §5)', async () => {
    const texts = await Promise.all(Array.from({ length: 20 }, () => runOurs('', ['genkey'])));

    assert.equal(new Set(texts.map(({ out }) => out)).size, 20);
    for (const { status, out, err } of texts) {
      assert.deepEqual({ status, err }, { status: 0, err: '' });
      assert.match(out, /^[A-Za-z0-9+/]{43}=\n$/);
      const key = Buffer.from(out, 'base64');
      assert.equal(key[0]! & 7, 0);
      assert.equal(key[31]! >> 6, 1);
    }
  });

  it('makes preshared keys of any 32 bytes', async () => {
    const keys = await Promise.all(
      Array.from({ length: 64 }, async () => Buffer.from((await runOurs('', ['genpsk'])).out, 'base64')),
    );

    assert.ok(keys.some((key) => (key[0]! & 7) !== 0));
    assert.ok(keys.some((key) => key[31]! >> 6 !== 1));
  });
});

describe('wg, byte for byte as the stock wg', { skip: !hasStockWg() && 'needs root and wireguard-tools' }, () => {
  let directory: string;

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'wiretype-keys-'));
  });

  after(() => rmSync(directory, { recursive: true }));

  for (const input of [
    '',
    '\n',
    KEY,
    `${KEY}\n`,
    `${KEY} \t\r\n\n`,
    ` ${KEY}`,
    `${KEY}\nx`,
    `${KEY}  y`,
    KEY.slice(1),
    KEY.slice(0, 43),
    `${KEY.slice(0, 42)}d=`,
    KEY + KEY,
    `${KEY}\0\0`,
    '\0'.repeat(50),
    'é'.repeat(22),
    Buffer.alloc(32).toString('base64'),
    Buffer.alloc(32, 0xff).toString('base64'),
  ]) {
    it(`makes a public key of ${JSON.stringify(input)}`, async () => await same(['pubkey'], input));
  }

  it('makes the public key of any private key', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 32, maxLength: 32 }), async (key) => {
        await same(['pubkey'], Buffer.from(key).toString('base64'));
      }),
      { numRuns: 30 },
    );
  });

  for (const argv of [
    ['genkey', 'x'],
    ['genpsk', 'x'],
    ['pubkey', 'x'],
    ['genkey', '--help'],
    ['--help'],
    ['-h'],
    ['help'],
    ['help', 'x'],
    ['-h', 'x'],
    ['version', 'x'],
    ['bogus'],
    [''],
    ['Show'],
    ['constructor'],
  ]) {
    it(`is called as "wg ${argv.join(' ')}"`, async () => await same(argv, ''));
  }

  it('calls itself 1.0.20260223', async () => {
    const expected = {
      status: 0,
      out: 'wireguard-tools v1.0.20260223 - https://git.zx2c4.com/wireguard-tools/\n',
      err: '',
    };
    for (const flag of ['-v', '--version', 'version']) {
      assert.deepEqual(await runOurs(directory, [flag]), expected);
      const stock = await runStock(directory, [flag]);
      assert.deepEqual({ ...stock, out: stock.out.replace('20210914', '20260223') }, expected);
    }
  });

  async function same(argv: readonly string[], input: string): Promise<void> {
    assert.deepEqual(await runOurs(directory, argv, { input }), await runStock(directory, argv, { input }));
  }
});
