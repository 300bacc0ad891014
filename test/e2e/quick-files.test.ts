/**
 * The files that `wiretype up` finds, and its messages for invalid files.
 *
 * Topology: test/lab/quick-client.ts.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { CHECKOUT, subject } from '../lab/implementation.js';
import { generateKeyPair } from '../lab/keys.js';
import { fileWith, hostState, openClient } from '../lab/quick-client.js';

const FILE = '/etc/wireguard/wg0.conf';

describe('the file of an interface', { concurrency: 2 }, () => {
  it('is found by the rules of wg-quick, and refused in plain words', { timeout: 240_000 }, async (t) => {
    const { client } = await openClient(t);
    await client.run('bash', [
      '-c',
      'mkdir /run/elsewhere /run/dir.conf; echo "[Interface]" > /run/elsewhere/vpn.conf',
    ]);
    await client.run('bash', ['-c', 'cd /run; ln -s elsewhere/vpn.conf link.conf; ln -s nowhere dangling.conf']);
    await client.run('bash', [
      '-c',
      'cp /run/elsewhere/vpn.conf /run/name-of-16-chars.conf; cp /run/elsewhere/vpn.conf "/run/a b.conf"',
    ]);
    await client.write('/run/binary.conf', Buffer.from('\ufeff[Interface]\n', 'utf16le'));

    for (const [argument, answer] of [
      ['nope', "`/etc/wireguard/nope.conf' does not exist"],
      ['/run/nope.conf', "`/run/nope.conf' does not exist"],
      ['/run/dangling.conf', "`/run/dangling.conf' is a link to a file that does not exist"],
      ['/run/name-of-16-chars.conf', 'The config file must be a valid interface name, followed by .conf'],
      ['/run/a b.conf', 'The config file must be a valid interface name, followed by .conf'],
      ['/run/elsewhere', 'The config file must be a valid interface name, followed by .conf'],
      ['/run/dir.conf', '/run/dir.conf: cannot read: illegal operation on a directory'],
      ['/run/binary.conf', '/run/binary.conf: UTF-16 text: save the file as UTF-8'],
    ] as const) {
      const { status, stderr } = await client.wiretype('up', argument);
      assert.equal(status, 1);
      assert.ok(stderr.includes(answer), stderr);
    }
    const { stderr } = await client.wiretype('up', '--implementation', 'missing', '/run/link.conf');
    assert.match(stderr, /\[#\] missing link/, 'the link names the interface');
    assert.match(stderr, /Warning: `\/run\/elsewhere\/vpn\.conf' is world accessible/);
  });

  it('may be in any encoding: commands and strip get its bytes', { timeout: 240_000 }, async (t) => {
    const { client } = await openClient(t);
    const lines = 'PostUp = printf "Gr\xfc\xdfe%s" " \'%i\'" > /run/said # B\xfcro\n# caf\xe9';
    const text = fileWith(lines).replace('AllowedIPs', '  # 中 \xfc\n  AllowedIPs').replace('中', '\xd6\xd0');
    await client.write(FILE, Buffer.from(text, 'latin1'));

    const up = await client.wiretype('up', '--implementation', subject.command, 'wg0');
    assert.equal(up.status, 0, up.stderr);
    assert.equal(await client.run('bash', ['-c', 'od -An -tx1 /run/said | tr -d " \\n"']), '4772fcdf65202777673027');
    const links = '/run/links';
    await client.run('mkdir', [links]);
    await client.run('ln', ['-s', `${CHECKOUT}bin/wiretype`, `${links}/wg-quick`]);
    const [stock, ours] = await Promise.all(
      ['/usr/bin/wg-quick', `${links}/wg-quick`].map(
        async (program) => await client.run('bash', ['-c', `${program} strip wg0 | base64 -w 0`]),
      ),
    );
    assert.equal(ours, stock);
    await client.run('bash', [
      '-c',
      `echo '[Peer] # B\xfc' | sed 's/.xfc/'$'\\xfc'/ >> ${FILE}; echo 'PublicKey = ${generateKeyPair().publicKey}' >> ${FILE}`,
    ]);
    await client.run('bash', ['-c', `wg syncconf wg0 <(${links}/wg-quick strip wg0)`]);
    assert.equal((await client.run('wg', ['show', 'wg0', 'peers'])).trim().split('\n').length, 2);
    assert.equal((await client.wiretype('save', 'wg0')).status, 0);
    assert.match(await client.run('bash', ['-c', `iconv -f latin1 ${FILE}`]), /^# café$/m);
    assert.equal((await client.wiretype('down', 'wg0')).status, 0);
  });

  it('reaches no shell, whatever is in it, and changes nothing when it is wrong', { timeout: 240_000 }, async (t) => {
    const { client } = await openClient(t);
    const before = await hostState(client);
    const attacks = ['$(touch /run/hacked)', '`touch /run/hacked`', '; touch /run/hacked', "' touch /run/hacked '"];
    const keys = ['Address', 'DNS', 'MTU', 'Table', 'FwMark', 'SaveConfig', 'ListenPort', 'AllowedIPs', 'Endpoint'];
    const lines = keys.map((key, i) => `${key} = 10.0.0.1${attacks[i % attacks.length]}`);
    await client.install('resolvconf', 'cat > /dev/null');

    for (const line of [...lines, ...attacks.map((attack) => `DNS = 1.1.1.1, a${attack}`)]) {
      await client.write(FILE, fileWith(line));
      const { status, stderr } = await client.wiretype('up', '--implementation', 'missing', 'wg0');
      assert.equal(status, 1, line);
      assert.match(stderr, /ERR_CONFIG\)|ERR_BACKEND\)/, line);
    }

    assert.notEqual((await client.attempt('ls', ['/run/hacked'])).status, 0);
    assert.equal(await hostState(client), before);
  });
});
