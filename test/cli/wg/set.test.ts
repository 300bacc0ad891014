import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';

import { FakeDaemon } from './fake-daemon.js';
import { hasStockWg, type RunOptions, runOurs, runStock } from './run-wg.js';

const KEY = Buffer.alloc(32, 7).toString('base64');
const OTHER_KEY = Buffer.alloc(32, 8).toString('base64');
const PEER = ['wg0', 'peer', KEY];

/** Endpoints that cannot be resolved are not tried again, or the test would take minutes. */
const NO_RETRY = { env: { WG_ENDPOINT_RESOLUTION_RETRIES: '0' } };

describe('wg set, byte for byte as the stock wg', { skip: !hasStockWg() && 'needs root and wireguard-tools' }, () => {
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

  for (const port of [
    '0',
    '1',
    '65535',
    '65536',
    '99999',
    '',
    '-1',
    '+5',
    ' 5',
    '5 ',
    '0x10',
    '010',
    'http',
    'domain',
    '1e1',
  ]) {
    it(`reads "${port}" as a port`, async () => await same(['wg0', 'listen-port', port]));
  }

  for (const port of [
    '2147483647',
    '2147483648',
    '4294967296',
    '-4294967291',
    '99999999999',
    '18446744073709551617',
    'off',
  ]) {
    it(`reads "${port}" as a port`, async () => await same(['wg0', 'listen-port', port]));
  }

  for (const mark of [
    '0',
    'off',
    'OFF',
    '1',
    '010',
    '0x1',
    '0X1',
    '0xffffffff',
    '0x0000000001',
    '4294967295',
    '4294967296',
  ]) {
    it(`reads "${mark}" as a mark`, async () => await same(['wg0', 'fwmark', mark]));
  }

  for (const mark of ['0x100000000', '', '-1', '+5', ' 5', '5 ', '0xg', '0x', '1e3', '9'.repeat(40)]) {
    it(`reads "${mark}" as a mark`, async () => await same(['wg0', 'fwmark', mark]));
  }

  for (const seconds of ['0', 'off', 'Off', '1', '65535', '65536', '', '-1', '+5', ' 5', '5 ', '0x10', '010', '1e1']) {
    it(`reads "${seconds}" as a keepalive`, async () => await same([...PEER, 'persistent-keepalive', seconds]));
  }

  for (const list of [
    '',
    '10.0.0.1',
    '10.0.0.1/24',
    '10.0.0.0/24,fd00::/8',
    ' 10.0.0.0/24 , fd00::/8 ',
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/',
    '/24',
    '10.0.0.0/-1',
    '10.0.0.0/+1',
    '10.0.0.0/ 8',
    '10.0.0.0/08',
    '10.0.0.0/0x8',
    '10.0.0.0/8/8',
    'x/8',
    '010.0.0.0/8',
    '10.0/8',
    ',',
    '10.0.0.0/8,',
    ',10.0.0.0/8',
    '10.0.0.0/8,,11.0.0.0/8',
    '1.2.3.4/32,1.2.3.5/31,1.2.3.4/0,::1/0,fd00::1/127,ff::/8',
    'fe80::1%lo/64',
    '::ffff:1.2.3.4/128',
    '::1.2.3.4',
    'FD00::1',
    '1 0.0.0.0/8',
    '10.0.0.0/4294967304',
    '10.0.0.0/00000000000000000008',
    '10.0.0.0/999999999999999999999999',
    '10.0.0.0/8a',
  ]) {
    it(`reads "${list}" as allowed IPs`, async () => await same([...PEER, 'allowed-ips', list]));
  }

  for (const endpoint of [
    '1.2.3.4:5',
    'fd00::1:51820',
    '[fd00::1]:51820',
    '[FD00:0::1]:51820',
    '[fd00::1]',
    '[fd00::1:5',
    '1.2.3.4',
    '1.2.3.4:http',
    '1.2.3.4:domain',
    '1.2.3.4:99999',
    '1.2.3.4:65536',
    '1.2.3.4:0',
    '1.2.3.4:',
    '1.2.3.4:-1',
    '1.2.3.4:+7',
    '1.2.3.4: 7',
    '1.2.3.4:0x10',
    '1.2.3.4:010',
    '',
    '[fe80::1%lo]:7',
    '[fe80::1%1]:7',
    '[fe80::1%nope]:7',
    '[fe80::1%]:7',
    '[fd00::1%lo]:7',
    '[fd00::1%1]:7',
    '[ff02::1%lo]:7',
    '[fe80::1%0]:7',
    'fe80::1%lo:7',
    '127.1:80',
    '0x7f000001:80',
    '010.0.0.1:80',
    'localhost:80',
    ':80',
    '[]:80',
    '[::ffff:1.2.3.4]:9',
    '[::1.2.3.4]:9',
    '[1.2.3.4]:9',
    '[fd00::1]x:7',
    '[fd00::1]7',
    'host name:5',
    '1.2.3.4:1e1',
    '1.2.3.4:4294967300',
  ]) {
    it(`reads "${endpoint}" as an endpoint`, async () => await same([...PEER, 'endpoint', endpoint], NO_RETRY));
  }

  for (const retries of [
    'x',
    '',
    '-1',
    '5x',
    'infinity',
    '2147483647',
    '2147483648',
    '99999999999',
    ' 5',
    '+5',
    '+',
    ' ',
  ]) {
    it(`reads WG_ENDPOINT_RESOLUTION_RETRIES="${retries}"`, async () => {
      await same([...PEER, 'endpoint', 'x'], { env: { WG_ENDPOINT_RESOLUTION_RETRIES: retries } });
    });
  }

  it('tries an endpoint again, and says so, where the failure may pass', async () => {
    await same([...PEER, 'endpoint', '1.2.3.4:http'], { env: { WG_ENDPOINT_RESOLUTION_RETRIES: '1' } });
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
