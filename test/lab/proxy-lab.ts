/**
 * A host without WireGuard that uses a proxy, and a host behind a tunnel with services.
 *
 * Topology: `test/lab/two-hosts.ts`. The left host has a daemon, an interface and the services of `proxy-services.ts`; the right
 * one has programs only.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { CHECKOUT, subject } from './implementation.js';
import { generateKeyPair } from './keys.js';
import type { Lab } from './lab.js';
import type { Host } from './namespace.js';
import type { Program } from './program.js';
import { run } from './program.js';
import { connectTwoHosts, LEFT, PORT, RIGHT } from './two-hosts.js';
import { Wireguard } from './wireguard.js';

export const COMMAND = `${CHECKOUT}bin/wiretype`;
const SERVICES = `${CHECKOUT}dist/test/lab/proxy-services.js`;
export const UDP_CLIENT = `${CHECKOUT}dist/test/lab/socks-udp-client.js`;
/** The proxy must need none of these. */
export const NO_RIGHTS = ['--bounding-set=-all', '--inh-caps=-all', '--no-new-privs'];
/** The name of the certificate in the folder of the web server. */
export const CERTIFICATE = 'cert.pem';
export const PAGE = 'the page inside of the tunnel\n';

export class ProxyLab {
  readonly lab: Lab;
  /** Behind the tunnel. */
  readonly left: Host;
  readonly right: Host;
  readonly services: Program;
  /** The file of the tunnel. */
  readonly config: string;
  readonly web: string;

  private constructor(parts: Pick<ProxyLab, 'lab' | 'left' | 'right' | 'services' | 'config' | 'web'>) {
    this.lab = parts.lab;
    this.left = parts.left;
    this.right = parts.right;
    this.services = parts.services;
    this.config = parts.config;
    this.web = parts.web;
  }

  static async open(t: Parameters<typeof connectTwoHosts>[0]): Promise<ProxyLab> {
    const { lab, left, right } = await connectTwoHosts(t);
    const daemon = await Wireguard.create(lab, left, subject, PORT);
    const keys = generateKeyPair();
    await daemon.setPeer({ publicKey: keys.publicKey, allowedIps: `${RIGHT.inner4}/32,${RIGHT.inner6}/128` });
    await daemon.up([`${LEFT.inner4}/24`, `${LEFT.inner6}/64`]);
    const web = join(lab.folder, 'web');
    mkdirSync(web);
    await makeCertificate(web);
    writeFileSync(join(web, 'page'), PAGE);
    const services = left.start(process.execPath, [SERVICES, LEFT.inner4, web]);
    await services.says(/ready/);
    const config = join(lab.folder, 'wg0.conf');
    writeFileSync(config, configuration(keys.privateKey, daemon.publicKey), { mode: 0o600 });
    return new ProxyLab({ lab, left, right, services, config, web });
  }

  /** Starts a proxy without any right, and waits until it listens. */
  async startProxy(words: readonly string[] = [this.config], env: Record<string, string> = {}): Promise<Program> {
    const proxy = this.right.start('setpriv', [...NO_RIGHTS, COMMAND, 'proxy', ...words], { env });
    await proxy.says(/ on 127\.0\.0\.1:| leads to /);
    return proxy;
  }

  /** Writes a file beside the one of the tunnel. */
  write(name: string, text: string): string {
    const file = join(this.lab.folder, name);
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  }

  /** Fetches by curl, and returns its output; the words come before the address. */
  async curl(address: string, ...words: readonly string[]): Promise<string> {
    return await this.right.run('curl', ['-sS', '--fail', '--max-time', '30', ...words, address]);
  }
}

/** Makes `cert.pem` and `key.pem` for the name `web.internal`. */
async function makeCertificate(folder: string): Promise<void> {
  const key = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-keyout',
    join(folder, 'key.pem'),
  ];
  const names = ['-subj', '/CN=web.internal', '-addext', 'subjectAltName=DNS:web.internal,IP:127.0.0.1'];
  await run('openssl', ['req', '-x509', '-days', '2', ...key, ...names, '-out', join(folder, CERTIFICATE)]);
}

function configuration(privateKey: string, publicKey: string): string {
  return `[Interface]
PrivateKey = ${privateKey}
Address = ${RIGHT.inner4}/24, ${RIGHT.inner6}/64
DNS = ${LEFT.inner4}
[Peer]
# Name = office
PublicKey = ${publicKey}
Endpoint = ${LEFT.outer4}:${PORT}
AllowedIPs = ${LEFT.inner4}/24, fd00:bb::/64
`;
}
