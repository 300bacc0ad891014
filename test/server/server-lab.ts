/** A gateway with its server, on the loopback, without a device that connects: for requests. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatKey } from '../../src/control/key-text.js';
import { generateKeyPair } from '../../src/crypto/key-pair.js';
import type { GatewaySettings } from '../../src/gateway/gateway-model.js';
import { openGateway } from '../../src/gateway/service/open-gateway.js';
import type { RunningGateway } from '../../src/gateway/service/running-gateway.js';
import { SigningKey } from '../../src/mesh/records/signing.js';
import { GatewayServer, type GatewayServerOptions } from '../../src/server/gateway-server.js';
import { SqliteStore } from '../../src/store/sqlite-store.js';

/** Signs the records of the hub in `NETWORK`. */
export const SIGNING_KEY = SigningKey.generate();

export const SETTINGS: GatewaySettings = {
  endpoint: 'vpn.example.net:51820',
  listenPort: 51_820,
  subnet4: '10.77.0.0/24',
  subnet6: 'fd77::/64',
  dns: [],
  mtu: 1_420,
  persistentKeepaliveSeconds: 25,
  defaultSwitches: { internet: true, lan: false, devices: false },
  timeZone: 'UTC',
  language: 'en',
};

/** The network of a hub. */
export const NETWORK = {
  name: 'home',
  networkId: Buffer.alloc(16, 1).toString('base64'),
  mode: 'auto',
  signingKey: Buffer.from(SIGNING_KEY.publicKey).toString('base64'),
} as const;

export const PASSWORD = 'correct horse battery';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
  readonly body: any;
}

/** Parts of a server that most tests do without. */
export type LabParts = Pick<GatewayServerOptions, 'oidc' | 'interfaces' | 'hub'>;

export class ServerLab implements AsyncDisposable {
  readonly gateway: RunningGateway;
  readonly server: GatewayServer;
  readonly store: SqliteStore;
  readonly lines: string[] = [];
  /** Backups that the gateway was asked to begin again with. */
  readonly restored: string[] = [];
  readonly #folder: string;
  #port = 0;

  /** @param pageFolder Absent: there is no page. */
  static async open(pageFolder?: string, more: LabParts = {}): Promise<ServerLab> {
    const { hub } = more;
    const folder = mkdtempSync(join(tmpdir(), 'wiretype-server-'));
    const store = await SqliteStore.open(folder);
    const { privateKey } = generateKeyPair();
    // Each lab has a port of its own, since tests run side by side.
    const settings = { ...SETTINGS, listenPort: 20_000 + Math.floor(Math.random() * 30_000) };
    const mesh = hub === undefined ? {} : { mesh: NETWORK };
    const wrapper = hub === undefined ? {} : { wrapSocket: hub.wrapSocket, names: hub.names };
    const firstSettings = () => ({ ...settings, ...mesh });
    const gateway = await openGateway({ store, privateKey, firstSettings, ...wrapper });
    await hub?.start(gateway);
    const lab = new ServerLab(folder, store, gateway, pageFolder ?? join(folder, 'no page'), more);
    lab.#port = await lab.server.listen('127.0.0.1', 0);
    return lab;
  }

  private constructor(folder: string, store: SqliteStore, gateway: RunningGateway, pageFolder: string, more: LabParts) {
    this.#folder = folder;
    this.store = store;
    this.gateway = gateway;
    this.server = new GatewayServer({
      gateway,
      store,
      version: '1.2.3',
      pageFolder,
      hostNames: ['vpn.example.net'],
      folder,
      restore: (path) => void this.restored.push(path),
      ...more,
      log: (line) => void this.lines.push(line),
    });
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get socketPath(): string {
    return join(this.#folder, 'control.sock');
  }

  async call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const response = await fetch(
      `${this.origin}${path.startsWith('/api') || path.startsWith('/metrics') ? '' : '/api/v1'}${path}`,
      {
        method,
        headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      },
    );
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') === true;
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  }

  /** Makes the first owner. @returns The header with the cookie. */
  async setUp(name = 'li'): Promise<{ cookie: string }> {
    const link = await this.server.makeSetUpLink();
    return cookieOf(await this.call('POST', '/link', { link, name, password: PASSWORD }));
  }

  /** Invites a person with a role. @returns The header with the cookie. */
  async invite(owner: { cookie: string }, name: string, role: string): Promise<{ cookie: string }> {
    const { body } = await this.call('POST', '/invitations', { role }, owner);
    return cookieOf(await this.call('POST', '/link', { link: body.link, name, password: PASSWORD }));
  }

  addDevice(headers: Record<string, string>, name: string, more: object = {}): Promise<Answer> {
    return this.call('POST', '/devices', { name, publicKey: formatKey(generateKeyPair().publicKey), ...more }, headers);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
    await this.gateway.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export function cookieOf({ headers }: Answer): { cookie: string } {
  return { cookie: (headers.get('set-cookie') ?? '').split(';')[0]! };
}
