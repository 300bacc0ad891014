import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { init } from '../../../src/cli/setup/init-command.js';
import { parseConfig } from '../../../src/control/config/index.js';
import { fakeHost } from './fake-host.js';
import { runSetup } from './run-setup.js';

describe('wiretype init', () => {
  let directory: string;
  let count = 0;

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'wiretype-init-'));
  });

  after(() => rmSync(directory, { recursive: true }));

  it('makes a file without problems that only its owner may read', async () => {
    const { path, outcome } = await run([], fakeHost({ out4: 'eth0', out6: 'eth0' }));

    const document = parseConfig(readFileSync(path, 'utf8'), path);
    assert.deepEqual(document.problems, []);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(outcome.status, 0);
    assert.ok(!outcome.out.includes(Buffer.from(document.interfaceSection!.privateKey!).toString('base64')));
  });

  it('picks a subnet that the machine is not in, and a port that is free', async () => {
    const first = await run([], fakeHost({ seed: 7 }));
    const [address] = parse(first.path).addresses;
    const second = await run([], fakeHost({ seed: 7, networks: [address!.text], usedPorts: [51_820, 51_821] }));

    const other = parse(second.path);
    assert.notEqual(other.addresses[0]!.text, address!.text);
    assert.match(other.addresses[0]!.text, /^10\.\d+\.\d+\.1\/24$/);
    assert.match(other.addresses[1]!.text, /^fd[0-9a-f]{2}:[0-9a-f]{4}:[0-9a-f]{4}::1\/64$/);
    assert.equal(parse(first.path).listenPort, 51_820);
    assert.equal(other.listenPort, 51_822);
  });

  for (const firewall of ['nft', 'iptables'] as const) {
    it(`writes hooks for ${firewall} that masquerade what leaves the machine, and take back what they add`, async () => {
      const host = fakeHost({ firewall, out4: 'eth0', out6: 'wan.6' });
      const { path } = await run(['--address', '10.9.0.1/24, fd09::1/64,'], host);

      const section = parse(path);
      const up = section.hooks('PostUp').join('\n');
      assert.match(up, /net\.ipv4\.ip_forward=1/);
      assert.match(up, /net\.ipv6\.conf\.wan\/6\.accept_ra=2/);
      assert.match(
        up,
        firewall === 'nft'
          ? /ip saddr 10\.9\.0\.0\/24 oifname "eth0" masquerade/
          : /-s 10\.9\.0\.0\/24 -o eth0 -j MASQUERADE/,
      );
      assert.match(
        up,
        firewall === 'nft'
          ? /ip6 saddr fd09::\/64 oifname "wan\.6" masquerade/
          : /-s fd09::\/64 -o wan\.6 -j MASQUERADE/,
      );
      assert.equal(section.hooks('PostDown').length, firewall === 'nft' ? 3 : 8);
    });

    it(`writes hooks for ${firewall} that work in a network namespace`, {
      skip: !canUse(firewall) && 'needs root',
    }, async () => {
      const host = fakeHost({ firewall, out4: 'lo', out6: 'lo' });
      const section = parse((await run([], host)).path);
      const show = firewall === 'nft' ? 'nft list ruleset' : 'iptables-save; ip6tables-save';
      const [up, down] = (['PostUp', 'PostDown'] as const).map((name) =>
        section.hooks(name).join('\n').replaceAll('%i', 'wg0'),
      );
      const script = `set -e\n${up}\n{ ${show}; }\necho ----\n${down}\n{ ${show}; } | grep -c 'wg0\\|masquerade\\|MASQUERADE' || true`;

      const { status, stdout, stderr } = spawnSync('unshare', ['-n', 'bash', '-c', script], { encoding: 'utf8' });

      assert.equal(status, 0, stderr);
      const [ruleset, left] = stdout.split('----\n');
      assert.equal(ruleset!.match(/masquerade/gi)?.length, 2);
      assert.equal(left, '0\n');
    });
  }

  it('writes no hooks for a way out that does not exist', async () => {
    const { path } = await run([], fakeHost({ out4: 'eth0' }));
    assert.ok(!parse(path).hooks('PostUp').join('').includes('ip6'));
  });

  it('writes no hooks with --no-forward', async () => {
    const { path } = await run(['--no-forward'], fakeHost({ firewall: 'none' }));
    assert.deepEqual(parse(path).hooks('PostUp'), []);
  });

  for (const [said, noted] of [
    ['vpn.example.net', 'vpn.example.net:51820'],
    ['vpn.example.net:7', 'vpn.example.net:7'],
    ['192.0.2.1', '192.0.2.1:51820'],
    ['2001:db8::1', '[2001:db8::1]:51820'],
    ['[2001:db8::1]', '[2001:db8::1]:51820'],
    ['[2001:db8::1]:7', '[2001:db8::1]:7'],
  ]) {
    it(`notes the endpoint ${said} as ${noted}`, async () => {
      const { path } = await run(['--endpoint', said!]);
      assert.match(
        readFileSync(path, 'utf8'),
        new RegExp(`^# ClientEndpoint = ${noted!.replace(/[[\].]/g, '\\$&')}$`, 'm'),
      );
    });
  }

  it('does not touch a file that is there', async () => {
    const { path } = await run([]);
    const text = readFileSync(path, 'utf8');
    const { code } = await runSetup(init, directory, [path]);
    assert.equal(code, 'ERR_FILE_EXISTS');
    assert.equal(readFileSync(path, 'utf8'), text);
  });

  it('gives each interface of a host a port and a subnet of its own, up or not', async () => {
    const folder = join(directory, 'two');
    const paths = ['wg0', 'wg1'].map((name) => join(folder, `${name}.conf`));
    for (const path of paths) await runSetup(init, directory, [path], { host: fakeHost() });

    const [first, second] = paths.map(parse);
    assert.deepEqual([first!.listenPort, second!.listenPort], [51_820, 51_821]);
    assert.notEqual(first!.addresses[0]!.text, second!.addresses[0]!.text);
    const third = join(folder, 'wg2.conf');
    for (const taken of [
      ['--port', '51821'],
      ['--address', first!.addresses[0]!.text],
    ]) {
      assert.equal((await runSetup(init, directory, [third, ...taken])).code, 'ERR_VALUE');
    }
    assert.equal((await runSetup(init, directory, [third, '--port', '51821', '--force'])).code, undefined);
  });

  it("refuses the host's own network, unless it is the interface's own or --force is given", async () => {
    const host = fakeHost({ networks: ['192.168.1.20/24'] });
    const address = ['--address', '192.168.1.1/24'];
    assert.equal((await run(address, host)).outcome.code, 'ERR_VALUE');
    assert.equal((await run([...address, '--force'], host)).outcome.code, undefined);
    const asked: (string | undefined)[] = [];
    const networks = (except?: string) => {
      asked.push(except);
      return [];
    };
    const up = { ...host, networks };
    assert.equal((await run(address, up)).outcome.code, undefined);
    assert.deepEqual(asked, ['wg0']);
  });

  it('prints its choices: endpoint, interfaces, firewall, and whether peers reach each other', async () => {
    const host = fakeHost({ firewall: 'nft', out4: 'eth0', out6: 'eth1', address: '192.168.1.5' });
    const { outcome } = await run(['--isolate'], host);
    assert.match(outcome.out, /endpoint: {3}192\.168\.1\.5:51820 \(a private address: /);
    assert.match(outcome.out, /forwarding: IPv4 by eth0, IPv6 by eth1, rules by nft; peers cannot reach each other\n/);
  });

  it('says at once that the firewall of --firewall is not installed', async () => {
    const host = fakeHost({ programs: ['nft'] });
    const { outcome } = await run(['--firewall', 'iptables'], host);
    assert.deepEqual(
      [outcome.code, outcome.message],
      ['ERR_COMMAND_MISSING', '--firewall: this host has no iptables; it has nft'],
    );
  });

  for (const firewall of ['nft', 'iptables'] as const) {
    it(`drops packets between peers with --isolate, by ${firewall}, with and without forwarding`, async () => {
      const host = fakeHost({ firewall, out4: 'eth0', out6: 'eth0' });
      for (const more of [[], ['--no-forward']]) {
        const up = parse((await run(['--isolate', ...more], host)).path)
          .hooks('PostUp')
          .join('\n');
        const rule =
          firewall === 'nft'
            ? /iifname "%i" oifname "%i" drop; iifname/
            : /^ip6?tables -I FORWARD -i %i -o %i -j DROP$/gm;
        assert.match(up, rule);
        assert.equal(/masquerade/i.test(up), more.length === 0);
      }
    });
  }

  it('restores forwarding when the last of two interfaces goes down', {
    skip: process.getuid?.() !== 0 && 'needs root',
  }, async () => {
    const section = parse((await run([], fakeHost({ out4: 'lo', out6: 'lo' }))).path);
    const hook = (name: 'PostUp' | 'PostDown', interfaceName: string) =>
      section.hooks(name).slice(0, 2).join('\n').replaceAll('%i', interfaceName);
    const show =
      'sysctl -n net.ipv4.ip_forward net.ipv6.conf.all.forwarding net.ipv6.conf.lo.accept_ra | tr "\\n" " "; echo';
    const steps = [
      hook('PostUp', 'a'),
      hook('PostUp', 'b'),
      hook('PostDown', 'a'),
      hook('PostDown', 'b'),
      hook('PostDown', 'b'),
    ];
    const script = `set -e; sysctl -q -w net.ipv4.ip_forward=0; ${show}\n${steps.map((step) => `${step}\n${show}`).join('\n')}\n! ls -d "/run/wiretype-forwarding/$(readlink /proc/self/ns/net)"/*`;

    const { status, stdout, stderr } = spawnSync('unshare', ['-n', 'bash', '-c', script], { encoding: 'utf8' });

    assert.equal(status, 0, stderr);
    const [before, ...shown] = stdout.split('\n').map((line) => line.trim());
    assert.match(before!, /^0 0 /);
    assert.deepEqual(shown.slice(0, 5), ['1 1 2', '1 1 2', '1 1 2', before, before]);
  });

  for (const [args, code] of [
    [['--port', '0'], 'ERR_VALUE'],
    [['--address', '10.9.0.0/24'], 'ERR_VALUE'],
    [['--address', '10.9.0.255/24'], 'ERR_VALUE'],
    [['--address', 'fd09::/64'], 'ERR_VALUE'],
    [['--address', '10.9.0.1'], 'ERR_VALUE'],
    [['--out', 'nosuch'], 'ERR_VALUE'],
    [['--out', '..'], 'ERR_USAGE'],
    [['--port', '99999'], 'ERR_VALUE'],
    [['--address', '10.0.0.1/99'], 'ERR_VALUE'],
    [['--address', ','], 'ERR_VALUE'],
    [['--endpoint', 'a!b'], 'ERR_VALUE'],
    [['--endpoint', 'a\n[Peer]'], 'ERR_VALUE'],
    [['--dns', '1.2'], 'ERR_VALUE'],
    [['--firewall', 'pf'], 'ERR_USAGE'],
    [['--out', 'a; reboot'], 'ERR_USAGE'],
    [['--bogus'], 'ERR_USAGE'],
  ] as const) {
    it(`refuses ${JSON.stringify(args)} with ${code}`, async () => {
      const { outcome } = await run(args);
      assert.equal(outcome.code, code);
    });
  }

  for (const name of ['toolongforaninterface', 'a b', '-x', '..']) {
    it(`refuses the name "${name}"`, async () => {
      const { code } = await runSetup(init, directory, [join(directory, `${name}.conf`)]);
      assert.equal(code, 'ERR_INTERFACE_NAME');
    });
  }

  /** Each in a folder of its own: files in one folder are interfaces of one host. */
  async function run(args: readonly string[], host = fakeHost()) {
    const path = join(directory, String(count++), 'wg0.conf');
    return { path, outcome: await runSetup(init, directory, [path, ...args], { host }) };
  }
});

function parse(path: string) {
  return parseConfig(readFileSync(path, 'utf8'), path).interfaceSection!;
}

/** Runs in a namespace of its own, so nothing of this machine changes. */
function canUse(firewall: 'nft' | 'iptables'): boolean {
  const test = firewall === 'nft' ? 'nft add table inet x' : 'iptables -t nat -L && ip6tables -t nat -L';
  return process.getuid?.() === 0 && spawnSync('unshare', ['-n', 'sh', '-c', test]).status === 0;
}
