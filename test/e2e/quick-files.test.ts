/**
 * Files of every kind, good and bad, for `wiretype up`, `save` and `strip`, and for the name `wg-quick`.
 *
 * Topology: test/lab/quick-client.ts.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import { CHECKOUT, subject } from '../lab/implementation.js';
import { generateKeyPair } from '../lab/keys.js';
import type { Machine } from '../lab/machine.js';
import { clientConfig, hostState, openClient, openQuickClient } from '../lab/quick-client.js';

const FILE = '/etc/wireguard/wg0.conf';

describe('the file of an interface', { concurrency: 2 }, () => {
  it('is found by the rules of wg-quick, and refused in plain words', { timeout: 60_000 }, async (t) => {
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
    await client.write('/run/binary.conf', Buffer.from('[Interface]\n# caf\xe9\n', 'latin1'));

    for (const [argument, answer] of [
      ['nope', "`/etc/wireguard/nope.conf' does not exist"],
      ['/run/nope.conf', "`/run/nope.conf' does not exist"],
      ['/run/dangling.conf', "`/run/dangling.conf' is a link to a file that does not exist"],
      ['/run/name-of-16-chars.conf', 'The config file must be a valid interface name, followed by .conf'],
      ['/run/a b.conf', 'The config file must be a valid interface name, followed by .conf'],
      ['/run/elsewhere', 'The config file must be a valid interface name, followed by .conf'],
      ['/run/dir.conf', '/run/dir.conf: cannot read: illegal operation on a directory'],
      ['/run/binary.conf', '/run/binary.conf:2: not UTF-8 text'],
    ] as const) {
      const { status, stderr } = await client.wiretype('up', argument);
      assert.equal(status, 1);
      assert.ok(stderr.includes(answer), stderr);
    }
    const { stderr } = await client.wiretype('up', '--implementation', 'missing', '/run/link.conf');
    assert.match(stderr, /\[#\] missing link/, 'the link names the interface');
    assert.match(stderr, /Warning: `\/run\/elsewhere\/vpn\.conf' is world accessible/);
  });

  it('reaches no shell, whatever is in it, and changes nothing when it is wrong', { timeout: 120_000 }, async (t) => {
    const { client } = await openClient(t);
    const before = await hostState(client);
    const attacks = ['$(touch /run/hacked)', '`touch /run/hacked`', '; touch /run/hacked', "' touch /run/hacked '"];
    const keys = ['Address', 'DNS', 'MTU', 'Table', 'FwMark', 'SaveConfig', 'ListenPort', 'AllowedIPs', 'Endpoint'];
    const lines = keys.map((key, i) => `${key} = 10.0.0.1${attacks[i % attacks.length]}`);
    await client.install('resolvconf', 'cat > /dev/null');

    for (const line of [...lines, ...attacks.map((attack) => `DNS = 1.1.1.1, a${attack}`)]) {
      await client.write(FILE, fileOf(line));
      const { status, stderr } = await client.wiretype('up', '--implementation', 'missing', 'wg0');
      assert.equal(status, 1, line);
      assert.match(stderr, /ERR_CONFIG\)|ERR_BACKEND\)/, line);
    }

    assert.notEqual((await client.attempt('ls', ['/run/hacked'])).status, 0);
    assert.equal(await hostState(client), before);
  });

  it('gives its hooks to bash as they are', { timeout: 60_000 }, async (t) => {
    const { client } = await openClient(t);
    await client.write(
      FILE,
      fileOf(
        [
          'PreUp = echo "pre %i $INTERFACE $CONFIG_FILE" > /run/hooks',
          'PostUp = echo "a # b; $((1 + 1))" >> /run/hooks # said',
          'PostUp = [[ abc == @(abc|d) ]] && wc -l < <(printf "x\\ny\\n") >> /run/hooks',
          'PostUp = ip link show dev %i up | grep -o "mtu [0-9]*" >> /run/hooks',
          'PostDown = ! ip link show dev %i && echo post >> /run/hooks',
        ].join('\n'),
      ),
    );

    const up = await client.wiretype('up', '--implementation', subject.command, 'wg0');
    const down = await client.wiretype('down', 'wg0');

    assert.equal(up.status, 0, up.stderr);
    assert.equal(down.status, 0, down.stderr);
    assert.match(up.stderr, /^\[#\] echo "a # b; \$\(\(1 \+ 1\)\)" >> \/run\/hooks # said$/m);
    assert.deepEqual((await client.read('/run/hooks')).trimEnd().split('\n'), [
      `pre wg0 wg0 ${FILE}`,
      'a # b; 2',
      '2',
      'mtu 1420',
      'post',
    ]);
  });

  it('fails a pipe whose first command fails', { timeout: 60_000 }, async (t) => {
    const { client } = await openClient(t);
    await client.write(FILE, fileOf('PostUp = false | true'));

    const { status, stderr } = await client.wiretype('up', '--implementation', subject.command, 'wg0');

    assert.equal(status, 1);
    assert.match(stderr, /PostUp ended with status 1: false \| true/);
  });
});

describe('strip', () => {
  it('prints what wg-quick prints, byte for byte', { timeout: 60_000 }, async (t) => {
    const { client } = await openClient(t);
    const [one, two] = [generateKeyPair(), generateKeyPair()];
    const files = [
      `# top\n\n[Interface]\nPrivateKey = ${one.privateKey}\nAddress = 10.0.0.1/24\n  dns=1.1.1.1 # d\nMTU=1400\n`,
      `[interface]\r\nADDRESS = 10.0.0.1/24\r\nListenPort = 1\r\n\r\n[Peer]\r\nPublicKey = ${two.publicKey}\r\n`,
      `[Interface]\nPostUp = a = b # c\nTable = off\nSaveConfig = true\n[Peer]\nAddress = kept\n[Interface]\nPreDown = x`,
      `Address = before\n[Other]\nAddress = other\n[Interface]\n\tTable\t=\t7\nFwMark = 9 # m\n\n`,
      '',
    ];
    for (const text of files) {
      await client.write(FILE, text);

      const stock = await client.attempt('wg-quick', ['strip', 'wg0']);
      const ours = await client.wiretype('strip', 'wg0');

      assert.deepEqual(ours, stock);
    }
  });
});

describe('save', { concurrency: 2 }, () => {
  it('writes what has changed, and keeps comments, order, names and secrets', { timeout: 60_000 }, async (t) => {
    const setting = await openQuickClient(t);
    const { client, serverWireguard } = setting;
    const text = [
      '# my laptop',
      clientConfig(setting, {
        interface: [
          '  Address = 10.66.0.2/24   # mine',
          'ListenPort = 51999',
          'PostUp = true # nothing',
          'SaveConfig = true',
        ],
        peer: ['# the office', 'AllowedIPs = 10.66.0.0/24', 'PersistentKeepalive = 25'],
      }),
    ].join('\n');
    await client.write(FILE, text);
    assert.equal((await client.wiretype('up', '--implementation', subject.command, 'wg0')).status, 0);
    assert.equal((await client.wiretype('save', 'wg0')).status, 0);
    assert.equal(await client.read(FILE), text, 'what has not changed is not touched');

    const added = generateKeyPair().publicKey;
    await client.run('wg', ['set', 'wg0', 'listen-port', '51998', 'peer', added, 'allowed-ips', '10.66.9.0/24']);
    await client.run('wg', [
      'set',
      'wg0',
      'peer',
      serverWireguard.publicKey,
      'allowed-ips',
      '10.66.0.0/24,10.67.0.0/16',
    ]);
    await client.run('ip', ['address', 'add', 'fd66::2/64', 'dev', 'wg0']);
    const { status, stderr } = await client.wiretype('down', 'wg0');

    assert.equal(status, 0, stderr);
    const saved = text
      .replace('  Address = 10.66.0.2/24   # mine\n', '')
      .replace('ListenPort = 51999', 'ListenPort = 51998')
      .replace('SaveConfig = true', 'SaveConfig = true\nAddress = 10.66.0.2/24\nAddress = fd66::2/64')
      .replace('AllowedIPs = 10.66.0.0/24', 'AllowedIPs = 10.66.0.0/24, 10.67.0.0/16');
    assert.equal(await client.read(FILE), `${saved}\n[Peer]\nPublicKey = ${added}\nAllowedIPs = 10.66.9.0/24\n`);
    assert.match(await client.run('stat', ['-c', '%a', FILE]), /^600$/m);
    assert.equal(await client.run('ls', ['/etc/wireguard']), 'wg0.conf\n', 'nothing else is left');
  });

  it('neither saves a mark of its own choice nor a key that a hook fetches', { timeout: 60_000 }, async (t) => {
    const setting = await openQuickClient(t);
    const { client, clientKeys } = setting;
    await client.write('/run/key', `${clientKeys.privateKey}\n`);
    const text = clientConfig(setting, {
      interface: ['Address = 10.66.0.2/24', 'ListenPort = 51999', 'PostUp = wg set %i private-key /run/key'],
      peer: ['AllowedIPs = 0.0.0.0/0'],
    }).replace(/PrivateKey.*\n/, '');
    await client.write(FILE, text);

    for (const command of ['up', 'save', 'down']) {
      const options = command === 'up' ? ['--implementation', subject.command] : [];
      assert.equal((await client.wiretype(command, ...options, 'wg0')).status, 0);
    }

    assert.equal(await client.read(FILE), text);
  });
});

describe('the name wg-quick', { concurrency: 2 }, () => {
  it('is what scripts expect: arguments, messages, statuses', { timeout: 60_000 }, async (t) => {
    const { client } = await openClient(t);
    await client.run('ln', ['-s', `${CHECKOUT}bin/wiretype`, `${client.programs}/wg-quick`]);
    await client.write(FILE, fileOf('Address = 10.66.0.2/24'));
    const env = { WG_QUICK_USERSPACE_IMPLEMENTATION: subject.command };
    const wgQuick = async (...args: string[]) => await client.attempt(`${client.programs}/wg-quick`, args, { env });

    assert.equal((await wgQuick('help')).status, 0);
    for (const args of [[], ['up'], ['restart', 'wg0'], ['up', 'wg0', 'wg1'], ['--implementation', '', 'up', 'wg0']]) {
      const { status, stderr, stdout } = await wgQuick(...args);
      assert.deepEqual([status, stdout], [1, '']);
      assert.match(stderr, /^Usage: wg-quick/);
    }
    assert.equal((await wgQuick('up', 'nope')).stderr, "wg-quick: `/etc/wireguard/nope.conf' does not exist\n");
    assert.deepEqual((await wgQuick('down', 'wg0')).stderr, "wg-quick: `wg0' is not a WireGuard interface\n");
    assert.equal((await wgQuick('up', 'wg0')).status, 0);
    assert.equal((await wgQuick('up', 'wg0')).stderr, "wg-quick: `wg0' already exists\n");
    assert.equal((await wgQuick('save', 'wg0')).status, 0);
    assert.equal((await wgQuick('down', 'wg0')).status, 0);
  });

  it('runs itself again through sudo when it is not root, with the chosen program', { timeout: 60_000 }, async (t) => {
    const { client } = await openClient(t);
    await client.run('bash', ['-c', `mkdir /run/bin; ln -s ${CHECKOUT}bin/wiretype /run/bin/wg-quick`]);
    await client.write('/run/bin/sudo', '#!/bin/bash\nprintf "%s|" "$@"; exit 7\n', '755');
    const nobody = async (...words: string[]) =>
      await client.attempt('setpriv', ['--reuid=65534', '--clear-groups', ...words], {
        env: { WG_QUICK_USERSPACE_IMPLEMENTATION: 'other', PATH: `/run/bin:${process.env['PATH']}` },
      });

    const quick = await nobody('/run/bin/wg-quick', 'up', 'wg0');
    const own = await nobody(`${CHECKOUT}bin/wiretype`, 'reload', '--dry-run', 'wg0');

    assert.equal(quick.status, 7, quick.stderr);
    assert.match(quick.stdout, /^-p\|wg-quick .*%u: \|--\|.*node\|.*\/wg-quick\|--implementation\|other\|up\|wg0\|$/);
    assert.equal(own.status, 7, own.stderr);
    assert.match(own.stdout, /\|reload\|--dry-run\|wg0\|$/);
  });
});

describe('the systemd unit', () => {
  it('gives up and down the capabilities that they need', { timeout: 60_000 }, async (t) => {
    const { client } = await openClient(t);
    await client.write(
      FILE,
      fileOf('Address = 10.66.0.2/24\nDNS = 10.66.0.1').replace('10.0.0.0/8', '0.0.0.0/0, ::/0'),
    );
    const before = await hostState(client);
    const unit = readFileSync(`${CHECKOUT}systemd/wiretype@.service`, 'utf8');
    const names = /^CapabilityBoundingSet=(.*)$/m.exec(unit)![1]!.toLowerCase().replaceAll('cap_', '+').split(' ');
    const inUnit = ['--no-new-privs', `--bounding-set=-all,${names.join(',')}`, `${CHECKOUT}bin/wiretype`];

    const up = await client.attempt('setpriv', [...inUnit, 'up', '--implementation', subject.command, 'wg0']);
    assert.equal(up.status, 0, up.stderr);
    assert.match(await client.run('nft', ['list', 'ruleset']), /wg-quick-wg0/);
    const down = await client.attempt('setpriv', [...inUnit, 'down', 'wg0']);

    assert.equal(down.status, 0, down.stderr);
    assert.equal(await hostState(client), before);
  });
});

describe('the packet filter', () => {
  it('is made with iptables where nft refuses', { timeout: 60_000 }, async (t) => {
    const { client } = await openClient(t);
    await client.write(FILE, fileOf('Address = 10.66.0.2/24, fd66::2/64').replace('10.0.0.0/8', '0.0.0.0/0, ::/0'));
    await client.install('nft', '[[ $1 != -f ]] || { echo "no nftables" >&2; exit 1; }; exec /usr/sbin/nft "$@"');
    const before = await rulesOf(client);

    const up = await client.wiretype('up', '--implementation', subject.command, 'wg0');
    const [during4, during6] = await rulesOf(client);
    const down = await client.wiretype('down', 'wg0');

    assert.equal(up.status, 0, up.stderr);
    assert.match(up.stderr, /\[!\] nft -f -: no nftables: trying iptables/);
    assert.match(during4, /-A PREROUTING -d 10\.66\.0\.2\/32 ! -i wg0 .*"wg-quick\(8\) rule for wg0" -j DROP/);
    assert.match(during4, /-A POSTROUTING -p udp -m mark --mark 0xca6c .* -j CONNMARK --save-mark/);
    assert.match(during6, /-A PREROUTING -d fd66::2\/128 ! -i wg0 .* -j DROP/);
    assert.equal(down.status, 0, down.stderr);
    assert.deepEqual(await rulesOf(client), before);
  });
});

/** Rules only: iptables leaves its empty tables behind. */
async function rulesOf(client: Machine): Promise<[string, string]> {
  const rules = async (program: string) =>
    (await client.run(program, []))
      .split('\n')
      .filter((line) => line.startsWith('-A'))
      .join('\n');
  return [await rules('iptables-save'), await rules('ip6tables-save')];
}

/** A file with these lines in its first section, or in its second if they belong there. */
function fileOf(lines: string): string {
  const { privateKey } = generateKeyPair();
  const { publicKey } = generateKeyPair();
  const isOfPeer = /^(AllowedIPs|Endpoint)/.test(lines);
  return [
    '[Interface]',
    `PrivateKey = ${privateKey}`,
    ...(isOfPeer ? [] : [lines]),
    '[Peer]',
    `PublicKey = ${publicKey}`,
    ...(isOfPeer ? [lines] : ['AllowedIPs = 10.0.0.0/8', 'Endpoint = 203.0.113.9:51820']),
    '',
  ].join('\n');
}
