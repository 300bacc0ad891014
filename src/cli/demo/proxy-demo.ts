import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import { formatKey } from '../../control/key-text.js';
import { WireGuardError } from '../../core/errors.js';
import { generateKeyPair } from '../../crypto/key-pair.js';
import type { Commands } from '../../host/net/commands.js';
import type { DemoHost } from './demo-host.js';
import { type DemoNetwork, LEFT, LISTEN_PORT, RIGHT } from './demo-network.js';

const PROGRAMS = fileURLToPath(new URL('./proxy-demo-programs.js', import.meta.url));
const COMMAND = fileURLToPath(new URL('../../../../bin/wiretype', import.meta.url));
const NOBODY = 65_534;
const SAME_USER = 0;
const NO_RIGHTS = ['--clear-groups', '--bounding-set=-all', '--inh-caps=-all', '--no-new-privs'];
const ADDRESS = '127.0.0.1:1080';

const TOPOLOGY = `
     left: a host of the kernel                   right: no root, no TUN
  ┌────────────────────┐                        ┌──────────────────────┐
  │ web server         │                        │ a program with the   │
  │ 10.77.0.1          │       the tunnel       │ library, then        │
  │ wiretyped          ├╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌┤ wiretype proxy, curl │
  │ 192.0.2.1:51820    ├────────────────────────┤ 192.0.2.2            │
  └────────────────────┘     a cable (veth)     └──────────────────────┘
`;

const SUMMARY = `
You saw two programs without any right reach a network behind WireGuard. With a file of
your own, from any account and without root:
  wiretype proxy wg0.conf
  curl -x socks5h://127.0.0.1:1080 http://10.0.0.1/
docs/library.md and docs/proxy.md say more. In a checkout the program is bin/wiretype.`;

/** Programs without root behind a tunnel: one that uses the library, and others that use the proxy. */
export class ProxyDemo {
  readonly #network: DemoNetwork;
  readonly #commands: Commands;
  readonly #print: (line: string) => void;
  readonly #folder = mkdtempSync(join(tmpdir(), 'wiretype-demo-'));
  #user = NOBODY;
  #proxy: ChildProcess | undefined;

  constructor(network: DemoNetwork, commands: Commands, print: (line: string) => void) {
    this.#network = network;
    this.#commands = commands;
    this.#print = print;
  }

  title(): void {
    this.#print(TOPOLOGY);
  }

  /** Starts the web server behind the tunnel, and writes the file of the programs. */
  async prepare(): Promise<void> {
    const { left } = this.#network;
    const keys = generateKeyPair();
    const publicKey = await this.#network.joinLeft(keys.publicKey);
    const web = left.start(process.execPath, PROGRAMS, 'web', LEFT.inner4);
    await firstLine(web, 'the web server');
    await this.#chooseUser();
    const file = this.#file;
    writeFileSync(file, configuration(formatKey(keys.privateKey), formatKey(publicKey)), { mode: 0o600 });
    if (this.#user !== SAME_USER) for (const path of [this.#folder, file]) chownSync(path, NOBODY, NOBODY);
    keys.privateKey.fill(0);
    const who = this.#user === SAME_USER ? 'the user of this demo' : 'the user nobody';
    this.#print(`programs on the right run as ${who}, with no capability`);
  }

  async useLibrary(): Promise<void> {
    this.#print("\nopenTunnel('demo.conf'), then fetch(…, { dispatcher: tunnel.dispatcher }):");
    const page = await text(this.#start(process.execPath, PROGRAMS, 'fetch', this.#file, LEFT.inner4).stdout!);
    this.#print(`  ${greeting(page, 'the library')}`);
  }

  async useProxy(): Promise<void> {
    this.#print('\nwiretype proxy demo.conf');
    const proxy = this.#start('sh', '-c', 'exec "$0" "$@" 2>&1', COMMAND, 'proxy', this.#file);
    this.#proxy = proxy;
    for await (const line of createInterface({ input: proxy.stdout! })) {
      this.#print(`  ${line}`);
      if (line.includes(ADDRESS)) break;
    }
    for (const way of [`socks5h://${ADDRESS}`, `http://${ADDRESS}`]) {
      const words = ['curl', '-sS', '--max-time', '20', '-x', way, `http://${LEFT.inner4}/`];
      this.#print(`curl -x ${way} http://${LEFT.inner4}/`);
      this.#print(`  ${greeting(await text(this.#start(...words).stdout!), 'the proxy')}`);
    }
  }

  /** Prints how to try it by hand, while the proxy goes on. */
  invite(): void {
    const { namespace } = this.#network.right;
    this.#print(`\nTry it yourself until Ctrl-C ends the demo, in another terminal:`);
    this.#print(`  ip netns exec ${namespace} curl -x socks5h://${ADDRESS} http://${LEFT.inner4}/`);
  }

  summary(): void {
    this.#print(SUMMARY);
  }

  close(): void {
    this.#proxy?.kill('SIGTERM');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #file(): string {
    return join(this.#folder, 'demo.conf');
  }

  /** A checkout in a closed folder can be read by its owner only. */
  async #chooseUser(): Promise<void> {
    const words = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, ...NO_RIGHTS, process.execPath, COMMAND];
    const { status } = await this.#commands.ask([...words, '--version']);
    if (status !== 0) this.#user = SAME_USER;
  }

  #start(...words: readonly string[]): ChildProcess {
    const user = this.#user === SAME_USER ? [] : [`--reuid=${NOBODY}`, `--regid=${NOBODY}`];
    const host: DemoHost = this.#network.right;
    return host.start('setpriv', ...user, ...NO_RIGHTS, ...words);
  }
}

function greeting(page: string, what: string): string {
  const [line = ''] = page.split('\n');
  if (line.includes(RIGHT.inner4)) return line;
  throw new WireGuardError('ERR_DEMO_TRAFFIC', `${what} fetched ${JSON.stringify(line)}`);
}

async function firstLine(program: ChildProcess, what: string): Promise<void> {
  const outcome = await Promise.race([once(program.stdout!, 'data'), once(program, 'exit')]);
  if (typeof outcome[0] === 'number') throw new WireGuardError('ERR_DEMO_TRAFFIC', `${what} ended`);
}

function configuration(privateKey: string, publicKey: string): string {
  return `[Interface]
PrivateKey = ${privateKey}
Address = ${RIGHT.inner4}/24, ${RIGHT.inner6}/64
[Peer]
PublicKey = ${publicKey}
Endpoint = ${LEFT.outer}:${LISTEN_PORT}
AllowedIPs = ${LEFT.inner4}/24, ${LEFT.inner6}/64
`;
}
