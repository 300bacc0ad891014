/**
 * `wiretype proxy` under programs that people use: curl, git, ssh, and a client of UDP ASSOCIATE.
 *
 * Topology: `test/lab/proxy-lab.ts`.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { Capture } from '../lab/capture.js';
import { CHECKOUT } from '../lab/implementation.js';
import type { Program } from '../lab/program.js';
import { CERTIFICATE, COMMAND, PAGE, ProxyLab, UDP_CLIENT } from '../lab/proxy-lab.js';
import { LEFT, PORT, RIGHT } from '../lab/two-hosts.js';

const HERE = '127.0.0.1';
const TIMEOUT = { timeout: 120_000 };
const ECHO = `${CHECKOUT}dist/test/lab/echo-program.js`;

/** Suites open one laboratory for all of their tests. */
const closers: (() => unknown)[] = [];
const suite = { after: (close: () => unknown) => void closers.push(close) };

after(async () => {
  for (const close of closers.reverse()) await close();
});

describe('wiretype proxy', { concurrency: false }, () => {
  let lab: ProxyLab;
  let proxy: Program;

  before(async () => {
    lab = await ProxyLab.open(suite as Parameters<typeof ProxyLab.open>[0]);
    proxy = await lab.startProxy();
  });

  it('says where it listens, how to use it, and when there is a session', TIMEOUT, async () => {
    assert.match(proxy.stderr, /^wg0: this host is 192\.168\.241\.2 and fd00:bb::2 inside of the tunnel$/m);
    assert.match(proxy.stderr, /^SOCKS5 and HTTP proxy on 127\.0\.0\.1:1080$/m);
    assert.match(proxy.stderr, /^ +curl -x socks5h:\/\/127\.0\.0\.1:1080 http:\/\/HOST\/$/m);
    assert.equal(await lab.curl('http://web.internal/page', '-x', 'socks5h://127.0.0.1:1080'), PAGE);
    await proxy.says(/^wg0: There is a session\.$/m);
    assert.equal(proxy.stdout, '');
  });

  for (const scheme of ['socks5h', 'socks4a', 'http'])
    it(`serves curl over ${scheme}, and looks names up inside of the tunnel`, TIMEOUT, async () => {
      const before = lab.services.stdout.length;

      assert.equal(await lab.curl('http://web.internal/page', '-x', `${scheme}://${HERE}:1080`), PAGE);

      const seen = lab.services.stdout.slice(before);
      assert.match(seen, new RegExp(`/page web\\.internal from ${RIGHT.inner4}`));
    });

  for (const scheme of ['socks5h', 'http'])
    it(`serves curl for https over ${scheme}`, TIMEOUT, async () => {
      const trust = ['--cacert', join(lab.web, CERTIFICATE)];
      assert.equal(await lab.curl('https://web.internal/page', ...trust, '-x', `${scheme}://${HERE}:1080`), PAGE);
    });

  it('reports a name that is not there, and a port that refuses', TIMEOUT, async () => {
    const curl = (address: string) => lab.right.attempt('curl', ['-sS', '-x', `http://${HERE}:1080`, address]);
    assert.match((await curl('http://nowhere.example/')).stdout, /nowhere\.example/);
    assert.match((await curl(`http://${LEFT.inner4}:9/`)).stdout, /192\.168\.241\.1:9 refused the connection/);
  });

  it('serves git, which clones over HTTP', TIMEOUT, async () => {
    const [work, bare, clone] = ['work', 'web/repository.git', 'clone'].map((name) => join(lab.lab.folder, name));
    mkdirSync(work!);
    writeFileSync(join(work!, 'file'), 'content of the repository\n');
    const identity = ['-c', 'user.name=test', '-c', 'user.email=test@example.org'];
    await lab.right.run('git', ['-C', work!, 'init', '-q']);
    await lab.right.run('git', ['-C', work!, 'add', 'file']);
    await lab.right.run('git', ['-C', work!, ...identity, 'commit', '-q', '-m', 'First']);
    await lab.right.run('git', ['clone', '-q', '--bare', work!, bare!]);
    await lab.right.run('git', ['-C', bare!, 'update-server-info']);

    const through = ['-c', `http.proxy=socks5h://${HERE}:1080`];
    await lab.right.run('git', [...through, 'clone', '-q', 'http://web.internal/repository.git', clone!]);

    assert.ok(existsSync(join(clone!, 'file')));
  });

  for (const server of [LEFT.inner4, 'dns.internal'])
    it(`carries datagrams to ${server}, by UDP ASSOCIATE`, TIMEOUT, async () => {
      const words = [UDP_CLIENT, '1080', server, 'some.internal'];
      assert.equal(await lab.right.run(process.execPath, words), `${LEFT.inner4}\n`);
    });

  it('lets nothing out but messages of WireGuard', TIMEOUT, async () => {
    const capture = await Capture.start(lab.lab, lab.right, 'eth0');
    for (const scheme of ['socks5h', 'http']) {
      await lab.curl('http://leak.internal/page', '-x', `${scheme}://${HERE}:1080`);
      await lab.right.attempt('curl', ['-sS', '-x', `${scheme}://${HERE}:1080`, 'http://leak.example/']);
    }
    await lab.right.run(process.execPath, [UDP_CLIENT, '1080', 'dns.internal', 'leak.internal']);

    const packets = await capture.stop();

    const foreign = packets.filter(({ udp }) => udp?.destinationPort !== PORT && udp?.sourcePort !== PORT);
    assert.deepEqual(
      foreign.map(({ source, destination, bytes }) => [source, destination, bytes.toString('hex')]),
      [],
    );
    assert.ok(packets.length > 20);
    assert.ok(packets.every(({ bytes }) => !bytes.includes('leak')));
  });

  it('ends with its connections at SIGTERM', TIMEOUT, async () => {
    const stream = lab.right.start('socat', ['-', `SOCKS4A:${HERE}:echo.internal:7,socksport=1080`], {
      isInteractive: true,
    });
    stream.write('ping\n');
    await stream.says(/ping/);

    assert.equal(await proxy.stop('SIGTERM'), 0, proxy.stderr);

    await stream.exited;
    assert.doesNotMatch(proxy.stderr, /rror/);
  });
});

describe('forwards of wiretype proxy', { concurrency: false }, () => {
  let lab: ProxyLab;

  before(async () => {
    lab = await ProxyLab.open(suite as Parameters<typeof ProxyLab.open>[0]);
  });

  it('carry ports and UNIX sockets in both directions, TCP and UDP', TIMEOUT, async (t) => {
    const socket = join(lab.lab.folder, 'in.sock');
    const out = join(lab.lab.folder, 'out.sock');
    const echo = lab.right.start(process.execPath, [ECHO, HERE, '9000', out]);
    await echo.says(/ready/);
    const proxy = await lab.startProxy([
      '-L',
      '8080:web.internal:80',
      '-L',
      `${socket}:${LEFT.inner4}:7`,
      '-L',
      `7777:${LEFT.inner4}:7/udp`,
      '-R',
      `9000:${HERE}:9000`,
      '-R',
      `9001:${HERE}:9000/udp`,
      '-R',
      `9002:${out}`,
      lab.config,
    ]);
    t.after(async () => {
      for (const program of [proxy, echo]) await program.stop();
    });
    assert.equal(proxy.stderr.match(/ leads to /g)?.length, 6);

    assert.equal(await lab.curl(`http://${HERE}:8080/page`), PAGE);
    assert.equal(statSync(socket).mode & 0o777, 0o600);
    const ask = async (host: 'left' | 'right', place: string) =>
      await lab[host].run('socat', ['-t1', '-', place], { input: 'hello' });
    assert.equal(await ask('right', `UNIX-CONNECT:${socket}`), 'hello');
    assert.equal(await ask('right', `UDP4:${HERE}:7777`), 'hello');
    assert.equal(await ask('left', `TCP4:${RIGHT.inner4}:9000`), 'hello');
    assert.equal(await ask('left', `TCP6:[${RIGHT.inner6}]:9000`), 'hello');
    assert.equal(await ask('left', `UDP4:${RIGHT.inner4}:9001`), 'hello');
    assert.equal(await ask('left', `TCP4:${RIGHT.inner4}:9002`), 'hello');
  });

  it('connect standard input and output, for ssh', TIMEOUT, async (t) => {
    const server = await startSshServer(lab);
    t.after(async () => await server.stop());
    const options = ['-F', 'none', '-i', join(lab.lab.folder, 'id'), '-o', 'StrictHostKeyChecking=no'];
    const proxyCommand = `ProxyCommand=${COMMAND} proxy --stdio %h:%p ${lab.config}`;
    const known = ['-o', `UserKnownHostsFile=${join(lab.lab.folder, 'known')}`, '-o', proxyCommand];

    const answer = await lab.right.run('ssh', [...options, ...known, 'root@ssh.internal', 'cat; echo done'], {
      input: 'through the tunnel\n',
    });

    assert.equal(answer, 'through the tunnel\ndone\n');
  });

  it('write nothing but the stream to standard output, and the reason to standard error', TIMEOUT, async () => {
    const stdio = (place: string) =>
      lab.right.attempt(COMMAND, ['proxy', '--stdio', place, lab.config], { input: 'hello' });

    assert.deepEqual(await stdio('echo.internal:7'), { status: 0, stdout: 'hello', stderr: '' });
    const refused = await stdio(`${LEFT.inner4}:9`);
    assert.equal(refused.status, 1);
    assert.equal(refused.stdout, '');
    assert.match(refused.stderr, /192\.168\.241\.1:9 refused the connection.*\(ERR_NO_CONNECTION\)/);
  });
});

async function startSshServer({ lab, left }: ProxyLab): Promise<Program> {
  const path = (name: string) => join(lab.folder, name);
  for (const key of ['id', 'hostkey']) await left.run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path(key)]);
  const settings = [
    `ListenAddress ${LEFT.inner4}`,
    `HostKey ${path('hostkey')}`,
    `AuthorizedKeysFile ${path('id.pub')}`,
    'StrictModes no',
    'PermitRootLogin prohibit-password',
    `PidFile ${path('sshd.pid')}`,
  ];
  writeFileSync(path('sshd.conf'), `${settings.join('\n')}\n`);
  const script = `mount -t tmpfs none /run && mkdir /run/sshd && exec /usr/sbin/sshd -D -e -f ${path('sshd.conf')}`;
  const server = left.start('unshare', ['-m', 'sh', '-c', script]);
  await server.says(/listening on/);
  return server;
}
