/**
 * docs/guides/mesh-behind-a-proxy.md, word for word. Topology: mesh-guide.ts; the laptop's router lets nothing through, and has an
 * HTTP proxy, which alone finds the name of the hub.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import type { Machine } from '../../lab/machine.js';
import { HUB, type Site } from '../mesh/mesh-lab.js';
import { openMeshGuide } from './mesh-guide.js';

const ROUTER = '10.1.0.1';
const CA = '/etc/ssl/example-ca.pem';
const isMissing = process.env['CI'] === undefined && spawnSync('nginx', ['-v']).status !== 0 && 'needs nginx';

describe('docs/guides/mesh-behind-a-proxy.md', { skip: isMissing }, () => {
  it('carries a host behind an HTTP proxy to a hub behind nginx', { timeout: 240_000 }, async (t) => {
    const environment = { NODE_EXTRA_CA_CERTS: CA, CURL_CA_BUNDLE: CA };
    const setting = await openMeshGuide(t, 'mesh-behind-a-proxy', { laptop: 'easy', server: 'easy' }, environment);
    const { guide, hub } = setting;
    const { laptop, server } = setting.sites;
    await certify(hub, [hub, laptop.machine, server.machine]);
    const web = hub.start('nginx', ['-g', 'daemon off;']);
    t.after(() => web.stop());
    await hub.run('bash', ['-c', 'until [ -s /run/nginx.pid ]; do sleep 0.05; done']);
    const proxy = await shutIn(laptop);

    for (const section of ['The hub', 'A host with UDP', 'A host behind an HTTP proxy', 'It does not connect'])
      await guide.follow(section);
    assert.match(proxy.stdout, /CONNECT hub\.example\.net:443/);
    assert.equal((await server.machine.attempt('ping', ['-c', '1', '-W', '30', 'laptop.home.internal'])).status, 0);

    await guide.follow('Undo');
    guide.assertFollowed();
  });
});

/** Makes the certificate of the hub, and lets hosts trust it. */
async function certify(hub: Machine, hosts: readonly Machine[]): Promise<void> {
  const name = '/etc/ssl/hub.example.net';
  const words = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const names = ['-subj', '/CN=hub.example.net', '-addext', 'subjectAltName=DNS:hub.example.net'];
  await hub.run('openssl', ['req', ...words, ...names, '-keyout', `${name}.key`, '-out', `${name}.pem`]);
  const certificate = await hub.read(`${name}.pem`);
  for (const host of hosts) await host.write(CA, certificate, '644');
}

/** Leaves a site no way out but an HTTP proxy. */
async function shutIn({ machine, router }: Site) {
  await router.nft('add rule inet fw impair drop');
  await machine.write('/etc/hosts', `127.0.0.1 localhost\n${ROUTER} proxy.example.net\n`, '644');
  await machine.write('/etc/resolv.conf', 'nameserver 127.0.0.1\n', '644');
  const program = fileURLToPath(new URL(join('..', '..', 'lab', 'http-proxy-program.js'), import.meta.url));
  const proxy = router.start(process.execPath, [program, ROUTER, `hub.example.net=${HUB}`]);
  await proxy.says(/ready/);
  return proxy;
}
