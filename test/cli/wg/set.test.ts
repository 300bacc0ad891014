import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';

import { FakeDaemon } from './fake-daemon.js';
import { hasStockWg, pipeOf, type RunOptions, runOurs, runStock } from './run-wg.js';

const KEY = Buffer.alloc(32, 7).toString('base64');
const OTHER_KEY = Buffer.alloc(32, 8).toString('base64');
const PEER = ['wg0', 'peer', KEY];

/** Endpoints that cannot be resolved are not tried again, or the test would take minutes. */
const NO_RETRY = { env: { WG_ENDPOINT_RESOLUTION_RETRIES: '0' } };

describe('wg set and its words, byte for byte as the stock wg', {
  skip: !hasStockWg() && 'needs root and wireguard-tools',
}, () => {
  let directory: string;
  let daemon: FakeDaemon;
  let keyFile: string;

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'wiretype-set-'));
    keyFile = join(directory, 'key');
    daemon = await FakeDaemon.start(directory, 'wg0');
  });

  after(async () => {
    await daemon.stop();
    rmSync(directory, { recursive: true });
  });

  for (const [what, words] of [
    ['nothing', ['wg0']],
    ['no interface', []],
    ['a word that does not exist', ['wg0', 'foo']],
    ['a word in capitals', ['wg0', 'LISTEN-PORT', '5']],
    ['"peer" without a key', ['wg0', 'peer']],
    ['"listen-port" without a port', ['wg0', 'listen-port']],
    ['"endpoint" without a value', [...PEER, 'endpoint']],
    ['"remove" before a peer', ['wg0', 'remove']],
    ['a peer alone', PEER],
    ['a peer to be removed', [...PEER, 'remove']],
    ['"remove" between other words', [...PEER, 'allowed-ips', '1.2.3.4', 'remove', 'endpoint', '1.2.3.4:5']],
    ['a word of the interface behind a peer', [...PEER, 'listen-port', '5']],
    ['a word of a peer before any', ['wg0', 'endpoint', '1.2.3.4:5']],
    ['a port twice', ['wg0', 'listen-port', '5', 'listen-port', '6']],
    ['allowed IPs twice', [...PEER, 'allowed-ips', '1.2.3.4', 'allowed-ips', '5.6.7.8/32']],
    ['a peer twice', [...PEER, 'persistent-keepalive', '5', 'peer', KEY, 'endpoint', '1.2.3.4:5']],
    [
      'two peers',
      ['wg0', 'fwmark', '3', 'peer', KEY, 'allowed-ips', '1.2.3.4', 'peer', OTHER_KEY, 'persistent-keepalive', 'off'],
    ],
    [
      'all words of a peer in another order',
      [...PEER, 'allowed-ips', '', 'persistent-keepalive', '9', 'endpoint', '1.2.3.4:5'],
    ],
    ['a key that is none', ['wg0', 'peer', 'x']],
    ['a key with space before it', ['wg0', 'peer', ` ${KEY}`]],
    ['a key with space behind it', ['wg0', 'peer', `${KEY} `]],
    ['a key that is not canonical', ['wg0', 'peer', `${KEY.slice(0, 42)}d=`]],
    ['an interface that does not exist', ['missing', 'listen-port', '5']],
    ['an interface with a slash', ['a/b', 'listen-port', '5']],
    ['a key file that does not exist', ['wg0', 'private-key', '/nonexistent']],
    ['a directory as a key file', ['wg0', 'private-key', '/tmp']],
    ['/dev/null as a private key', ['wg0', 'private-key', '/dev/null']],
    ['/dev/null as a preshared key', [...PEER, 'preshared-key', '/dev/null']],
    ['--help', ['--help']],
    ['--help behind an interface', ['wg0', '--help']],
  ] as const) {
    it(`understands ${what}`, async () => await same(words));
  }

  for (const [what, text] of [
    ['nothing', ''],
    ['a line feed', '\n'],
    ['a key', KEY],
    ['a key and a line feed', `${KEY}\n`],
    ['a key and white space', `${KEY} \t\v\f\r\n\n`],
    ['white space and a key', ` ${KEY}`],
    ['something behind the key', `${KEY}\nx`],
    ['a key that is too short', KEY.slice(1)],
    ['two keys', KEY + OTHER_KEY],
    ['a key of zeros', Buffer.alloc(32).toString('base64')],
  ] as const) {
    it(`reads a key file with ${what}`, async () => {
      writeFileSync(keyFile, text);
      await same(['wg0', 'private-key', keyFile]);
      await same([...PEER, 'preshared-key', keyFile]);
    });
  }

  it('reads a key from a pipe, as the shell makes one of <(wg genkey)', async () => {
    const outcomes = [];
    for (const run of [runStock, runOurs]) {
      const outcome = await run(directory, ['set', 'wg0', 'private-key', pipeOf(directory, `${KEY}\n`)]);
      outcomes.push({ ...outcome, requests: daemon.takeRequests() });
    }
    assert.deepEqual(outcomes[1], outcomes[0]);
    assert.equal(outcomes[0]?.status, 0);
  });

  for (const text of [`${KEY.slice(0, 42)}d=`, '%s'.repeat(22)]) {
    it('keeps a malformed secret key out of its message, unlike the stock wg', async () => {
      writeFileSync(keyFile, text);
      const hide = (words: string) => words.replace(text, '(hidden)');

      for (const argv of [
        ['set', 'wg0', 'private-key', keyFile],
        ['set', ...PEER, 'preshared-key', keyFile],
      ]) {
        const stock = await runStock(directory, argv);
        assert.deepEqual(await runOurs(directory, argv), { ...stock, err: hide(stock.err) });
      }
    });
  }

  for (const [what, answer] of [
    ['errno 0', 'errno=0\n\n'],
    ['a negative errno', 'errno=-98\n\n'],
    ['errno -5', 'errno=-5\n\n'],
    ['a positive errno', 'errno=98\n\n'],
    ['nothing', ''],
    ['no empty line', 'errno=0\n'],
    ['no errno', '\n'],
    ['a line without "="', 'x\n\n'],
    ['another line before errno', 'x=1\nerrno=0\n\n'],
  ] as const) {
    it(`reads an answer with ${what}`, async () => {
      daemon.answers.set = answer;
      try {
        await same(['wg0', 'listen-port', '1']);
      } finally {
        daemon.answers.set = 'errno=0\n\n';
      }
    });
  }

  it('reads any list of words', async () => {
    const word = fc.oneof(
      fc.constantFrom(
        'listen-port',
        'fwmark',
        'private-key',
        'peer',
        'remove',
        'preshared-key',
        'persistent-keepalive',
      ),
      fc.constantFrom(
        'allowed-ips',
        KEY,
        OTHER_KEY,
        '5',
        'off',
        '/dev/null',
        '10.0.0.0/8',
        '10.0.0.1/8,fd00::/8',
        'peer',
      ),
      fc.string({ unit: 'grapheme-ascii', maxLength: 12 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(word, { maxLength: 9 }), async (words) => await same(['wg0', ...words], NO_RETRY)),
      { numRuns: 150 },
    );
  });

  for (const [list, lines] of [
    ['+10.0.0.1', 'allowed_ip=10.0.0.1/32\n'],
    ['-10.0.0.0/8', 'allowed_ip=-10.0.0.0/8\n'],
    ['10.0.0.0/8,+fd00::/8', 'allowed_ip=10.0.0.0/8\nallowed_ip=fd00::/8\n'],
  ] as const) {
    it(`changes what the peer has with "${list}", as 1.0.20260223 does; 1.0.20210914 refuses it`, async () => {
      assert.equal((await runStock(directory, ['set', ...PEER, 'allowed-ips', list])).status, 1);

      const outcome = await runOurs(directory, ['set', ...PEER, 'allowed-ips', list]);

      assert.deepEqual(outcome, { status: 0, out: '', err: '' });
      assert.deepEqual(daemon.takeRequests(), [`set=1\npublic_key=${'07'.repeat(32)}\n${lines}\n`]);
    });
  }

  for (const [list, err] of [
    ['+x', "Unable to parse IP address: `x'\n"],
    ['-10.0.0.0/33', "AllowedIP is not in the correct format: `10.0.0.0/33'\n"],
    ['++10.0.0.0', "Unable to parse IP address: `+10.0.0.0'\n"],
  ] as const) {
    it(`refuses "${list}" as allowed IPs`, async () => {
      assert.deepEqual(await runOurs(directory, ['set', ...PEER, 'allowed-ips', list]), { status: 1, out: '', err });
    });
  }

  async function same(words: readonly string[], options: RunOptions = {}): Promise<void> {
    const stock = await runStock(directory, ['set', ...words], options);
    const stockRequests = daemon.takeRequests();

    const ours = await runOurs(directory, ['set', ...words], options);

    assert.deepEqual(
      { ...ours, requests: daemon.takeRequests() },
      { ...stock, err: newUsage(stock.err), requests: stockRequests },
    );
  }
});

/** 1.0.20260223 has `[+|-]` before allowed IPs. */
function newUsage(text: string): string {
  return text.replace('<ip1>/<cidr1>[,<ip2>/<cidr2>]', '[+|-]<ip1>/<cidr1>[,[+|-]<ip2>/<cidr2>]');
}
