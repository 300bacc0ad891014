/**
 * The files and options of `wiretype proxy`: one of wireproxy, health, a reload, rules, and a host that allows nothing.
 *
 * Topology: `test/lab/proxy-lab.ts`.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { CERTIFICATE, COMMAND, NO_RIGHTS, PAGE, ProxyLab } from '../lab/proxy-lab.js';
import { copyReadable } from '../lab/readable-checkout.js';
import { LEFT, RIGHT } from '../lab/two-hosts.js';
import { waitFor } from '../lab/wait.js';

const HERE = '127.0.0.1';
const TIMEOUT = { timeout: 120_000 };
const NOBODY = 65_534;

/** The suite opens one laboratory for all of its tests. */
const closers: (() => unknown)[] = [];
const suite = { after: (close: () => unknown) => void closers.push(close) };

after(async () => {
  for (const close of closers.reverse()) await close();
});

describe('the configuration of wiretype proxy', { concurrency: false }, () => {
  let lab: ProxyLab;

  before(async () => {
    lab = await ProxyLab.open(suite as Parameters<typeof ProxyLab.open>[0]);
  });

  it('may be a file of wireproxy: passwords, HTTPS, health', TIMEOUT, async (t) => {
    const file = lab.write(
      'wireproxy.conf',
      `WGConfig = wg0.conf
[Socks5]
BindAddress = ${HERE}:25344
Username = me
Password = $PROXY_PASSWORD
[http]
BindAddress = ${HERE}:25345
CertFile = web/${CERTIFICATE}
KeyFile = web/key.pem
[TCPClientTunnel]
BindAddress = ${HERE}:8081
Target = web.internal:80
`,
    );
    const proxy = await lab.startProxy(['--info', '9080', file], { PROXY_PASSWORD: 'p:ss w@rd' });
    t.after(async () => await proxy.stop());

    const login = ['--proxy-user', 'me:p:ss w@rd'];
    assert.equal(await lab.curl('http://web.internal/page', '-x', `socks5h://${HERE}:25344`, ...login), PAGE);
    for (const user of ['me:wrong', 'other:p:ss w@rd']) {
      const refused = await lab.right.attempt('curl', [
        '-sS',
        '-x',
        `socks5h://${HERE}:25344`,
        '--proxy-user',
        user,
        'http://web.internal/',
      ]);
      assert.equal(refused.status, 97, refused.stderr);
    }
    const trust = ['--proxy-cacert', join(lab.web, CERTIFICATE)];
    assert.equal(await lab.curl('http://web.internal/page', '-x', `https://${HERE}:25345`, ...trust), PAGE);
    assert.equal(await lab.curl(`http://${HERE}:8081/page`), PAGE);
    assert.equal(await lab.curl(`http://${HERE}:9080/healthz`), 'ok\n');
    const ready = JSON.parse(await lab.curl(`http://${HERE}:9080/readyz`)) as { tunnels: Record<string, unknown> };
    assert.deepEqual(Object.keys(ready.tunnels), ['wireproxy']);
    const metrics = await lab.curl(`http://${HERE}:9080/metrics`);
    assert.match(metrics, /^wireguard_peer_online\{interface="wireproxy",.*friendly_name="office"\} 1$/m);
    assert.match(metrics, /^wiretype_proxy_connections_total \d+$/m);
    assert.doesNotMatch(proxy.stderr, /p:ss/);
  });

  it('is not ready while an address of CheckAlive does not answer', TIMEOUT, async (t) => {
    const text = await lab.right.run('cat', [lab.config]);
    const check = (address: string) =>
      text.replace('[Peer]', `CheckAlive = ${address}\nCheckAliveInterval = 1\n[Peer]`);
    for (const [address, status] of [
      [LEFT.inner4, '200'],
      ['192.168.241.77', '503'],
    ] as const) {
      const proxy = await lab.startProxy(['--info', '9081', lab.write('alive.conf', check(address))]);
      t.after(async () => await proxy.stop());
      const words = ['-sS', '-o', '/dev/null', '-w', '%{http_code}', `http://${HERE}:9081/readyz`];
      await waitFor(`status ${status}`, async () => (await lab.right.run('curl', words)) === status);
      await proxy.stop();
    }
  });

  it('is read again at SIGHUP: open connections live on, an error changes nothing', TIMEOUT, async (t) => {
    const sections = (port: number) =>
      `WGConfig = wg0.conf\n[TCPClientTunnel]\nBindAddress = ${HERE}:${port}\nTarget = ${LEFT.inner4}:7\n[Socks5]\nBindAddress = ${HERE}:1088\n`;
    const file = lab.write('reloaded.conf', sections(7001));
    const proxy = await lab.startProxy([file]);
    t.after(async () => await proxy.stop());
    const open = async (place: string) => {
      const stream = lab.right.start('socat', ['-', place], { isInteractive: true });
      t.after(async () => await stream.stop());
      stream.write('before\n');
      await stream.says(/before/);
      return stream;
    };
    const forwarded = await open(`TCP4:${HERE}:7001`);
    const proxied = await open(`SOCKS4A:${HERE}:echo.internal:7,socksport=1088`);

    lab.write('reloaded.conf', sections(7002).replace('Target', 'Targt'));
    proxy.signal('SIGHUP');
    await proxy.says(/reloaded\.conf:4: unknown key "Targt" .*\n.*Did you mean Target\?[\s\S]*stays in use/);
    await open(`TCP4:${HERE}:7001`);

    lab.write('reloaded.conf', sections(7002));
    proxy.signal('SIGHUP');
    await proxy.says(/Read the configuration again/);
    await open(`TCP4:${HERE}:7002`);
    assert.notEqual((await lab.right.attempt('socat', ['-', `TCP4:${HERE}:7001`])).status, 0);
    for (const stream of [forwarded, proxied]) {
      stream.write('after\n');
      await stream.says(/after/);
    }
  });

  it('is refused where other hosts could use the proxy without a password', TIMEOUT, async () => {
    const refused = await lab.right.attempt(COMMAND, ['proxy', '--socks', `${RIGHT.outer4}:1080`, lab.config]);
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /10\.0\.0\.2:1080: other hosts could use the proxy there.*\(ERR_OPEN_PROXY\)/);

    for (const words of [['--open'], ['--user', 'me']]) {
      const env = { WIRETYPE_PROXY_PASSWORD: 'secret' };
      const listen = ['--check', '--socks', `${RIGHT.outer4}:1080`, ...words, lab.config];
      assert.deepEqual(await lab.right.attempt(COMMAND, ['proxy', ...listen], { env }), {
        status: 0,
        stdout: `${lab.config}: no errors\n`,
        stderr: '',
      });
    }
  });

  it('sends connections where rules say', TIMEOUT, async (t) => {
    const rules = ['--rule', 'blocked.internal block', '--rule', `${RIGHT.outer4}/32 direct`];
    const page = lab.right.start(process.execPath, [
      '-e',
      `require('http').createServer((_, response) => response.end('outside')).listen(8088, '${RIGHT.outer4}')`,
    ]);
    const proxy = await lab.startProxy(['--listen', '1089', '--verbose', ...rules, lab.config]);
    t.after(async () => {
      for (const program of [page, proxy]) await program.stop();
    });

    const curl = (address: string) => lab.right.attempt('curl', ['-sS', '-x', `http://${HERE}:1089`, address]);
    assert.match((await curl('http://blocked.internal/page')).stdout, /blocks blocked\.internal:80/);
    assert.equal((await curl(`http://${RIGHT.outer4}:8088/`)).stdout, 'outside');
    assert.equal((await curl('http://web.internal/page')).stdout, PAGE);
    await proxy.says(/^10\.0\.0\.2:8088 goes direct$/m);
    await proxy.says(/^web\.internal:80 goes through wg0$/m);
  });

  it('needs no root, no TUN, no addon, and no file system that can be written', TIMEOUT, async (t) => {
    const checkout = await copyReadable(t);
    const config = join(checkout, 'wg0.conf');
    await lab.right.run('install', ['-m', '600', '-o', String(NOBODY), lab.config, config]);
    const user = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', ...NO_RIGHTS];
    const command = `mount -t tmpfs none /dev/net 2>/dev/null; mount -o remount,bind,ro / && exec setpriv ${user.join(' ')} ${process.execPath} ${checkout}bin/wiretype proxy --listen 1090 ${config}`;
    const env = { WIRETYPE_NO_ADDON: '1' };
    const proxy = lab.right.start('unshare', ['-m', 'sh', '-c', command], { env });
    t.after(async () => await proxy.stop());
    await proxy.says(/ on 127\.0\.0\.1:1090/);

    assert.equal(await lab.curl('http://web.internal/page', '-x', `socks5h://${HERE}:1090`), PAGE);
  });
});
