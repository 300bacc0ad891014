/**
 * A kernel host with every service that the examples use, behind a daemon, and a host without any interface of WireGuard,
 * where the examples run without any right.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

import { CHECKOUT, type Implementation } from './implementation.js';
import { generateKeyPair, type KeyPairText } from './keys.js';
import type { Lab } from './lab.js';
import type { Host } from './namespace.js';
import type { Program, RunOptions } from './program.js';
import { type Certificate, createCertificate, startPostgres, startRedis, startSshd } from './throw-away-servers.js';
import { connectTwoHosts, LEFT, PORT, RIGHT } from './two-hosts.js';
import { Wireguard } from './wireguard.js';

const SERVICES = `${CHECKOUT}dist/test/lab/example-services.js`;
const NO_RIGHTS = ['--bounding-set=-all', '--inh-caps=-all'];

/** The files that the examples are told of. */
export interface ExampleFiles extends Certificate {
  readonly config: string;
  readonly sshKey: string;
}

export class ExampleNetwork {
  readonly lab: Lab;
  /** The kernel host behind the daemon. */
  readonly kernel: Host;
  readonly files: ExampleFiles;
  readonly #right: Host;

  private constructor(lab: Lab, kernel: Host, right: Host, files: ExampleFiles) {
    this.lab = lab;
    this.kernel = kernel;
    this.files = files;
    this.#right = right;
  }

  static async open(t: Pick<TestContext, 'after'>, behind: Implementation): Promise<ExampleNetwork> {
    const { lab, left, right } = await connectTwoHosts(t);
    const daemon = await Wireguard.create(lab, left, behind, PORT);
    const keys = generateKeyPair();
    await daemon.setPeer({ publicKey: keys.publicKey, allowedIps: `${RIGHT.inner4}/32,${RIGHT.inner6}/128` });
    await daemon.up([`${LEFT.inner4}/24`, `${LEFT.inner6}/64`]);
    const identity = await createCertificate(lab.folder, LEFT.inner4);
    const { key, certificate } = identity;
    const services = left.start(process.execPath, [SERVICES, LEFT.inner4, key, certificate]);
    const [sshKey] = await Promise.all([
      startSshd(left, LEFT.inner4),
      startPostgres(left, LEFT.inner4, identity),
      startRedis(left, LEFT.inner4),
      services.says(/ready/),
    ]);
    const config = join(lab.folder, 'example.conf');
    writeFileSync(config, configuration(keys, daemon.publicKey), { mode: 0o600 });
    return new ExampleNetwork(lab, left, right, { config, sshKey, ...identity });
  }

  /** Starts an example, or a file of another folder by its path. */
  start(name: string, args: readonly string[], options: RunOptions = {}): Program {
    const file = name.includes('/') ? name : `${CHECKOUT}examples/${name}`;
    return this.#right.start('setpriv', [...NO_RIGHTS, process.execPath, file, ...args], options);
  }

  /** Runs a program where the examples run. */
  async runBeside(command: string, args: readonly string[]): Promise<string> {
    return await this.#right.run(command, args);
  }

  /** Writes the configurations of two programs that are peers of each other, without the kernel host. */
  writePair(): readonly [string, string] {
    const [a, b] = [generateKeyPair(), generateKeyPair()];
    const paths = [join(this.lab.folder, 'a.conf'), join(this.lab.folder, 'b.conf')] as const;
    writeFileSync(
      paths[0],
      `[Interface]\nPrivateKey = ${a.privateKey}\nAddress = 10.5.0.1/24\nListenPort = 51900
[Peer]\nPublicKey = ${b.publicKey}\nAllowedIPs = 10.5.0.2/32\n`,
    );
    writeFileSync(
      paths[1],
      `[Interface]\nPrivateKey = ${b.privateKey}\nAddress = 10.5.0.2/24
[Peer]\nPublicKey = ${a.publicKey}\nEndpoint = 127.0.0.1:51900\nAllowedIPs = 10.5.0.0/24\n`,
    );
    return paths;
  }
}

function configuration({ privateKey }: KeyPairText, publicKey: string): string {
  return `[Interface]
PrivateKey = ${privateKey}
Address = ${RIGHT.inner4}/24, ${RIGHT.inner6}/64
DNS = ${LEFT.inner4}
[Peer]
PublicKey = ${publicKey}
Endpoint = ${LEFT.outer4}:${PORT}
AllowedIPs = ${LEFT.inner4}/24, fd00:bb::/64
PersistentKeepalive = 25
`;
}
