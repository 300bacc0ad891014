import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { formatIpPrefix } from '../../../src/control/ip-text.js';
import { type ProxyFile, readProxyFile, tunnelName } from '../../../src/proxy/config/proxy-file.js';
import type { Environment } from '../../../src/proxy/config/section-reader.js';

const SECRET = 'qNvZ1uS3kXbT7eYwP5mHc8Rj2LgFa9DoVx4BnKt6I0E=';
const PUBLIC = Buffer.alloc(32, 2).toString('base64');
const WIREGUARD = `[Interface]
PrivateKey = ${SECRET}
Address = 10.0.0.2/24
[Peer]
# Name = office
PublicKey = ${PUBLIC}
Endpoint = 192.0.2.1:51820
AllowedIPs = 10.0.0.0/24
`;

let folder: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'wiretype-proxy-file-'));
});
after(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}

async function read(text: string, environment: Environment = {}): Promise<ProxyFile> {
  write('wg.conf', WIREGUARD);
  return await readProxyFile(write('proxy.conf', text), { environment });
}

async function failure(text: string, environment: Environment = {}): Promise<string> {
  const error = await read(text, environment).then(
    () => assert.fail('it was taken'),
    (thrown: Error & { code?: string }) => thrown,
  );
  assert.equal(error.code, 'ERR_CONFIG', error.message);
  assert.ok(!error.message.includes(SECRET.slice(0, 12)), error.message);
  return error.message.replaceAll(folder, '');
}

describe('a file for wg-quick', () => {
  it('is a tunnel that is called as the file, and opens nothing', async () => {
    const file = await readProxyFile(write('my office.conf', WIREGUARD), { environment: {} });

    const [tunnel] = file.tunnels;
    assert.equal(tunnel!.name, 'my-office');
    assert.equal(tunnel!.document.text, WIREGUARD);
    assert.equal(tunnel!.document.peers[0]!.name, 'office');
    assert.deepEqual(
      [file.rules, file.listeners, file.forwards, file.stdio, file.warnings],
      [[], [], [], undefined, []],
    );
  });

  it('may be named, read environment variables, and say what is pinged', async () => {
    const text = WIREGUARD.replace(SECRET, '$KEY').replace('[Peer]', 'CheckAlive = 10.0.0.1, fd00::1\n[Peer]');
    const file = write('named.conf', text);

    const { tunnels } = await readProxyFile(file, { name: 'home', environment: { KEY: SECRET } });

    assert.equal(tunnels[0]!.name, 'home');
    assert.deepEqual(tunnels[0]!.checkAlive, ['10.0.0.1', 'fd00::1']);
    assert.equal(tunnels[0]!.checkAliveSeconds, 5);
    assert.equal(Buffer.from(tunnels[0]!.document.interfaceSection!.privateKey!).toString('base64'), SECRET);
  });

  it('warns if other users may read its keys', async () => {
    const file = write('open.conf', WIREGUARD);
    chmodSync(file, 0o640);

    const { warnings } = await readProxyFile(file, { environment: {} });

    assert.match(warnings.join(), /open\.conf: warning: users other than its owner may read .*\n {4}Run chmod 600 /);
  });

  it('has the name of the file without its ending', () => {
    assert.deepEqual(['/a/wg0.conf', 'b', './a b.c.conf', '.conf'].map(tunnelName), ['wg0', 'b', 'a-b.c', 'tunnel']);
  });
});

describe('a file for wireproxy', () => {
  it('opens what its sections say, whatever the case of their names', async () => {
    const file = await read(
      `
WGConfig = wg.conf
[TCPClientTunnel]
BindAddress = 127.0.0.1:25565
Target = play.example:25565
[tcpclienttunnel]
bindaddress = ./x.sock
target = 10.0.0.1:80
[TCPServerTunnel]
ListenPort = 3422
Target = localhost:25545
[UDPProxyTunnel]
BindAddress = 127.0.0.1:53
Target = 10.0.0.1:53
InactivityTimeout = 30
[STDIOTunnel]
Target = ssh.example:22
[Socks5]
BindAddress = 127.0.0.1:25344
Username = me
Password = $$pass ; a comment
[http]
BindAddress = :25345
Username = me
Password = $PASSWORD
CertFile = tls/cert.pem
KeyFile = /tls/key.pem
[Resolve]
ResolveStrategy = IPv4
`,
      { PASSWORD: 'from the environment' },
    );

    assert.equal(file.tunnels[0]!.family, 'ipv4');
    assert.deepEqual(file.stdio, { host: 'ssh.example', port: 22 });
    assert.deepEqual(file.listeners, [
      {
        protocol: 'socks5',
        at: { host: '127.0.0.1', port: 25344 },
        credentials: { username: 'me', password: '$pass' },
      },
      {
        protocol: 'http',
        at: { host: '0.0.0.0', port: 25345 },
        credentials: { username: 'me', password: 'from the environment' },
        certificate: { certFile: join(folder, 'tls/cert.pem'), keyFile: '/tls/key.pem' },
      },
    ]);
    assert.deepEqual(
      file.forwards.map(({ direction, protocol, from, to, idleSeconds }) => [
        direction,
        protocol,
        from,
        to,
        idleSeconds,
      ]),
      [
        ['local', 'tcp', { host: '127.0.0.1', port: 25565 }, { host: 'play.example', port: 25565 }, undefined],
        ['local', 'tcp', { path: join(folder, 'x.sock') }, { host: '10.0.0.1', port: 80 }, undefined],
        ['remote', 'tcp', { host: '', port: 3422 }, { host: 'localhost', port: 25545 }, undefined],
        ['local', 'udp', { host: '127.0.0.1', port: 53 }, { host: '10.0.0.1', port: 53 }, 30],
      ],
    );
  });

  it('gives a peer without AllowedIPs everything, and takes comments with ";" and quotes', async () => {
    const text = WIREGUARD.replace(/AllowedIPs.*/, '; AllowedIPs = none').replace(SECRET, `"${SECRET}" ; mine`);

    const { tunnels } = await read(`${text}[Socks5]\nBindAddress = 1080\n`);

    const prefixes = tunnels[0]!.document.peers[0]!.allowedIps.map(formatIpPrefix);
    assert.deepEqual(prefixes, ['0.0.0.0/0', '::/0']);
    assert.equal(tunnels[0]!.document.peers[0]!.name, 'office');
  });

  it('has several tunnels and rules, in our own sections', async () => {
    write('other.conf', WIREGUARD.replace('10.0.0.2', '10.0.0.3'));
    const file = await read(`
WGConfig = wg.conf
[Tunnel other]
WGConfig = other.conf
CheckAlive = 10.0.0.1
CheckAliveInterval = 9
ResolveStrategy = ipv6
[Rules]
Rule = *.corp.example other
Rule = * direct
[Proxy]
BindAddress = 1080
[TCPServerTunnel]
ListenPort = 1
Target = localhost:1
Tunnel = other
`);

    assert.deepEqual(
      file.tunnels.map(({ name, family, checkAliveSeconds }) => [name, family, checkAliveSeconds]),
      [
        ['proxy', 'auto', 5],
        ['other', 'ipv6', 9],
      ],
    );
    assert.deepEqual(
      file.rules.map(({ text }) => text),
      ['*.corp.example other', '* direct'],
    );
    assert.equal(file.listeners[0]!.protocol, 'any');
    assert.equal(file.forwards[0]!.tunnel, 'other');
  });

  it('shows all errors at once, each with file, line, key and the closest known word', async () => {
    const message = await failure(`WGConfg = wg.conf
[Sock5]
[Socks5]
BindAdress = 1
Password = ${SECRET}
[Resolve]
ResolveStrategy = both
[UDPProxyTunnel]
BindAddress = 127.0.0.1
Target = a:1
InactivityTimeout = -1
nonsense
`);

    assert.deepEqual(message.split('\n'), [
      '/proxy.conf:1: unknown key "WGConfg" above the first section',
      '    Did you mean WGConfig?',
      '/proxy.conf:1: there is no tunnel',
      '    Add [Interface] and [Peer], WGConfig = FILE, or [Tunnel NAME].',
      '/proxy.conf:2: there is no section "Sock5"',
      '    Did you mean [Socks5]?',
      '/proxy.conf:4: unknown key "BindAdress" in [Socks5]',
      '    Did you mean BindAddress?',
      '/proxy.conf:5: Password: there is no Username',
      '/proxy.conf:7: ResolveStrategy: it is auto, ipv4 or ipv6',
      '/proxy.conf:9: BindAddress: "127.0.0.1" is not [HOST:]PORT; an IPv6 address stands in brackets',
      '/proxy.conf:11: InactivityTimeout: it is a number from 0 to 86400',
      '/proxy.conf:12: this line is not understood',
      '    A line is a section in brackets, KEY = VALUE, or a comment.',
    ]);
  });

  for (const [title, text, message] of [
    ['a section that only wireproxy has', '[SNI]\nBindAddress = :443', /:2: there is no section "SNI"\n +Use \[http\]/],
    [
      'a key that only wireproxy has',
      '[Socks5]\nBindAddress = 1\nTunnelDomains = ^a$',
      /:4: unknown key "TunnelDomains" in \[Socks5\]\n.*\[Rules\]/,
    ],
    ['a key that is there twice', '[STDIOTunnel]\nTarget = a:1\nTarget = b:1', /:4: Target: it is there twice/],
    ['a second [STDIOTunnel]', '[STDIOTunnel]\nTarget = a:1\n[STDIOTunnel]\nTarget = b:1', /:5: Target: .*above/],
    ['a variable that is not set', '[STDIOTunnel]\nTarget = $NOT_SET', /:3: Target: there is no environment variable/],
    ['CheckAliveInterval alone', '[Tunnel a]\nWGConfig = wg.conf\nCheckAliveInterval = 3', /:4: CheckAliveInterval: /],
    ['a tunnel without a name', '[Tunnel]\nWGConfig = wg.conf', /:2: \[Tunnel\] has no name/],
    ['a rule that is none', '[Rules]\nRule = example.com', /:3: Rule: the rule "example\.com" cannot be read/],
    [
      '[Interface] beside WGConfig',
      '[Interface]\nAddress = 10.0.0.1',
      /:2: \[Interface\]: there is a WGConfig as well/,
    ],
  ] as const)
    it(`refuses ${title}`, async () => {
      assert.match(await failure(`WGConfig = wg.conf\n${text}\n`), message);
    });

  it('shows the line of its own file for errors in [Interface] and [Peer], and no secret', async () => {
    const text = `[Socks5]\nBindAddress = 1\n${WIREGUARD.replace('Endpoint = 192.0.2.1:51820', 'Endpoint = $END')}`;
    assert.match(await failure(text, { END: 'nonsense' }), /proxy\.conf:9:\d+: Endpoint: /);
    assert.match(
      await failure(text.replace('PrivateKey', 'PrivatKey'), { END: '192.0.2.1:1' }),
      /:4:1: unknown key "Priv/,
    );
    assert.match(await failure(text.replace(SECRET, `$K`)), /:4: PrivateKey: there is no environment variable/);
    const halfKey = await failure(text.replace(SECRET, '$K'), { K: SECRET.slice(1), END: '192.0.2.1:1' });
    assert.match(halfKey, /:4:\d+: PrivateKey: not a key/);
  });

  it('names the file that WGConfig leads to', async () => {
    write('broken.conf', WIREGUARD.replace('Address', 'Adress'));
    assert.match(await failure('WGConfig = broken.conf\n'), /^\/broken\.conf:3:1: unknown key "Adress"/);
    await assert.rejects(read('WGConfig = missing.conf\n'), { code: 'ERR_CONFIG_FILE' });
    write('keyless.conf', WIREGUARD.replace(/PrivateKey.*/, ''));
    assert.match(await failure('WGConfig = keyless.conf\n'), /keyless\.conf: \[Interface\] has no PrivateKey/);
  });
});
