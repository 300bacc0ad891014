/** A gateway engine with devices that are tunnels inside this process, in a network namespace with servers of its own. */
import { randomBytes } from 'node:crypto';

import { formatIpAddress, parseIpAddress, parseIpPrefix } from '../../../src/control/ip-text.js';
import { formatKey } from '../../../src/control/key-text.js';
import { generateKeyPair } from '../../../src/crypto/key-pair.js';
import { openGatewayEngine } from '../../../src/gateway/engine/open-gateway-engine.js';
import type { EngineDevice, EngineEvent, GatewayEngine } from '../../../src/gateway/gateway-engine.js';
import { openTunnel } from '../../../src/rootless/open-tunnel.js';
import type { TunnelHost } from '../../../src/rootless/tunnel-host.js';

export const GATEWAY4 = '10.77.0.1';
export const GATEWAY6 = 'fd77::1';

export interface LabDevice {
  readonly engineDevice: EngineDevice;
  readonly host: TunnelHost;
}

export class EngineLab implements AsyncDisposable {
  readonly engine: GatewayEngine;
  readonly events: EngineEvent[] = [];
  readonly #hosts: TunnelHost[] = [];

  static async open(resolvers: readonly string[] = []): Promise<EngineLab> {
    const engine = await openGatewayEngine({
      privateKey: randomBytes(32),
      listenPort: 0,
      addresses: [parseIpPrefix(`${GATEWAY4}/24`)!, parseIpPrefix(`${GATEWAY6}/64`)!],
      mtu: 1_420,
      openings: [],
      timeZone: 'UTC',
      resolvers,
    });
    return new EngineLab(engine);
  }

  private constructor(engine: GatewayEngine) {
    this.engine = engine;
    engine.onEvent((event) => this.events.push(event));
  }

  /** @param number Last number of the addresses. */
  async addDevice(id: string, number: number, settings: Partial<EngineDevice> = {}): Promise<LabDevice> {
    const { publicKey, privateKey } = generateKeyPair();
    const addresses = [`10.77.0.${number}`, `fd77::${number}`].map((text) => parseIpAddress(text)!);
    const engineDevice: EngineDevice = {
      id,
      publicKey,
      addresses,
      tags: [],
      switches: { internet: true, lan: false, devices: false },
      limits: {},
      isBlocked: false,
      ...settings,
    };
    await this.engine.putDevice(engineDevice);
    const host = await this.connect(privateKey, engineDevice);
    return { engineDevice, host };
  }

  async connect(privateKey: Uint8Array, { addresses }: EngineDevice): Promise<TunnelHost> {
    const text = `[Interface]
PrivateKey = ${formatKey(privateKey)}
Address = ${addresses.map(formatIpAddress).join(', ')}
DNS = ${GATEWAY4}
[Peer]
PublicKey = ${formatKey(this.engine.publicKey)}
AllowedIPs = 0.0.0.0/0, ::/0
Endpoint = 127.0.0.1:${this.engine.listenPort}
`;
    const host = await openTunnel(text);
    this.#hosts.push(host);
    return host;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const host of this.#hosts) await host.close();
    await this.engine.close();
  }
}
