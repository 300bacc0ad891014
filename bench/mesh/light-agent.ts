import { NO_ZONES, parseEndpoint } from '../../src/control/endpoint-text.js';
import { parseIpAddress } from '../../src/control/ip-text.js';
import { parseKey } from '../../src/control/key-text.js';
import { Tunnel } from '../../src/host/tunnel.js';
import { ControlClient } from '../../src/mesh/agent/control-client.js';
import { controlUrl } from '../../src/mesh/agent/hub-address.js';
import type { NodeState } from '../../src/mesh/agent/node-state.js';
import { AGENT_MTU } from '../../src/mesh/agent/open-agent.js';
import type { HubMessage } from '../../src/mesh/map/messages.js';
import { createEngine } from '../../src/rootless/engine.js';
import { StackLoop } from '../../src/rootless/stack-loop.js';
import { TunnelHost } from '../../src/rootless/tunnel-host.js';
import type { SharedMap } from './shared-map.js';

const KEEPALIVE_SECONDS = 25;
/** Paths in the report of an agent, at the most. */
const MAX_PATHS = 512;

/** A node as the hub sees an agent: a socket, a session, a control connection that takes maps in. It has no other peers. */
export class LightAgent {
  readonly state: NodeState;
  /** How often it has connected. */
  connections = 0;
  isRevoked = false;
  #isToldOfEnd = false;
  readonly #known: SharedMap;
  readonly #control: ControlClient;
  #host!: TunnelHost;
  #rev: number | undefined;
  /** Whether the hub keeps its paths; a report that nothing changed in is not sent again. */
  #hasReported = false;

  static async open(state: NodeState, known: SharedMap): Promise<LightAgent> {
    const agent = new LightAgent(state, known);
    await agent.#openTunnel();
    return agent;
  }

  private constructor(state: NodeState, known: SharedMap) {
    this.state = state;
    this.#known = known;
    this.#control = new ControlClient({
      url: controlUrl(state.hub),
      connect: (host, port) => this.#host.connect({ host, port }),
      onOpen: () => this.#opened(),
      onMessage: (message) => this.#take(message),
      onClose: () => {},
    });
  }

  get isConnected(): boolean {
    return this.#control.isOpen;
  }

  /** Whether it knows that a node is gone: another, or itself. */
  get hasHeardOfEnd(): boolean {
    return this.isRevoked || this.#isToldOfEnd;
  }

  /** The paths as in an agent that reaches all others by the relay. */
  report(): void {
    if (this.#hasReported || !this.isConnected) return;
    this.#hasReported = true;
    const nodes = [...this.#known.nodes].slice(0, MAX_PATHS);
    const candidates = [{ address: `127.0.0.1:${this.#host.status().listenPort}`, kind: 'lan' as const }];
    const paths = Object.fromEntries(nodes.map((node) => [node, 'relay' as const]));
    this.#control.send({ type: 'report', candidates, mapping: 'easy', rttMs: 1, paths });
  }

  async #openTunnel(): Promise<void> {
    const { addresses: texts, hub, privateKey } = this.state;
    const { clock, segmenter, parts } = createEngine();
    const addresses = texts.map((text) => parseIpAddress(text)!);
    const loop = new StackLoop({ name: 'light', clock, segmenter, crypto: parts.crypto, addresses, mtu: AGENT_MTU });
    const tunnel = await Tunnel.create({ ...parts, tun: loop.tun });
    this.#host = new TunnelHost({ tunnel, loop, addresses: texts, dnsServers: [], searchDomains: [] });
    void this.#follow(tunnel, loop);
    const allowedIps = hub.addresses.map((text) => {
      const address = parseIpAddress(text)!;
      return { address, prefixLength: 8 * address.length, isRemoval: false };
    });
    const peer = {
      publicKey: parseKey(hub.publicKey, 'key of the hub'),
      isRemoval: false,
      isUpdateOnly: false,
      endpoint: parseEndpoint(hub.endpoint, NO_ZONES)!,
      persistentKeepaliveSeconds: KEEPALIVE_SECONDS,
      replaceAllowedIps: true,
      allowedIps,
    };
    await tunnel.apply({ privateKey: parseKey(privateKey, 'private key'), replacePeers: true, peers: [peer] });
  }

  async #follow(tunnel: Tunnel, loop: StackLoop): Promise<void> {
    for await (const { kind } of tunnel.events) {
      if (kind !== 'handshake') continue;
      loop.sessionBegan();
      this.#control.wake();
    }
  }

  #opened(): void {
    this.connections++;
    this.#hasReported = false;
    this.#control.send({ type: 'hello', version: 1, ...(this.#rev === undefined ? {} : { rev: this.#rev }) });
  }

  #take(message: HubMessage): void {
    if (message.type === 'revoked') this.isRevoked = true;
    if (message.type !== 'map') return;
    this.#known.take(message);
    if (message.del.length > 0) this.#isToldOfEnd = true;
    this.#rev = message.rev;
    if (message.full) this.#control.send({ type: 'ack', rev: message.rev });
  }
}
