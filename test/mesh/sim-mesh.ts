/**
 * A mesh on virtual time: a hub, and agents behind NATs, with whole devices, sockets and paths. The control connection is a
 * message after the delay of the network.
 */

import { formatEndpoint, NO_ZONES, parseEndpoint } from '../../src/control/endpoint-text.js';
import { JsAead } from '../../src/crypto/js-aead.js';
import { publicKeyOf } from '../../src/crypto/key-pair.js';
import { NodeCrypto } from '../../src/crypto/node-crypto.js';
import { MemoryTun } from '../../src/host/memory/tun.js';
import { Tunnel } from '../../src/host/tunnel.js';
import { CarrierSocket } from '../../src/mesh/carrier/carrier-socket.js';
import { HubProbes } from '../../src/mesh/hub/hub-probes.js';
import { Punches, type PunchNode } from '../../src/mesh/hub/punches.js';
import { AgentPathSocket, peerEndpoint } from '../../src/mesh/paths/agent-path-socket.js';
import { HUB_NUMBER, PeerPaths } from '../../src/mesh/paths/peer-paths.js';
import { ProbeKeys } from '../../src/mesh/probes/probe-keys.js';
import { ProbeSocket } from '../../src/mesh/probes/probe-socket.js';
import { RelaySocket } from '../../src/mesh/relay/relay-socket.js';
import { RelayTable } from '../../src/mesh/relay/relay-table.js';
import { HostSocket } from '../../src/sim/host-socket.js';
import type { NatOptions } from '../../src/sim/nat.js';
import { Simulation } from '../../src/sim/simulation.js';
import { VirtualClock } from '../../src/sim/virtual-clock.js';
import { Endpoint } from '../../src/wire/endpoint.js';
import { SimAgent, WatchedClock } from './sim-agent.js';
import { connectCarrier } from './sim-carrier.js';

const PORT = 51_820;
const HUB_ADDRESS = Uint8Array.of(203, 0, 113, 10);
/** A carrier outlasts the return to UDP by so long. */
const CARRIER_LINGERS_MS = 5_000;
const peer = { isRemoval: false, isUpdateOnly: false, replaceAllowedIps: true };

export const NATS = {
  cone: { mapping: 'endpoint-independent', filtering: 'endpoint-independent', timeoutMs: 120_000 },
  restricted: { mapping: 'endpoint-independent', filtering: 'address-dependent', timeoutMs: 120_000 },
  easy: { mapping: 'endpoint-independent', filtering: 'address-and-port-dependent', timeoutMs: 120_000 },
  hard: { mapping: 'address-and-port-dependent', filtering: 'address-and-port-dependent', timeoutMs: 120_000 },
} as const satisfies Record<string, NatOptions>;
export type NatName = keyof typeof NATS;

export interface SimMeshOptions {
  readonly seed: number;
  readonly nats: readonly NatOptions[];
  readonly delayMs: number;
  readonly lossRate: number;
  /** One way by a carrier. */
  readonly carrierDelayMs?: number;
}

/** The hub with its agents. */
export class SimMesh {
  readonly simulation: Simulation;
  readonly agents: SimAgent[] = [];
  readonly #clock: VirtualClock;
  readonly #crypto = new NodeCrypto();
  readonly #punches = new Punches();
  readonly #options: SimMeshOptions;
  readonly table: RelayTable;
  #hubKey = new Uint8Array(32);
  #hub!: Tunnel;
  #carriers!: CarrierSocket;

  static async open(options: SimMeshOptions): Promise<SimMesh> {
    const mesh = new SimMesh(options);
    await mesh.#openHub();
    for (const [index, nat] of options.nats.entries()) await mesh.#openAgent(index, nat);
    for (const agent of mesh.agents) await mesh.#introduce(agent);
    // All have their sessions with the hub before the network begins to lose anything.
    mesh.simulation.network.setConditions({ delayMs: options.delayMs / 2 });
    await mesh.advance(2_000);
    mesh.simulation.network.setConditions({ delayMs: options.delayMs / 2, lossRate: options.lossRate });
    return mesh;
  }

  private constructor(options: SimMeshOptions) {
    this.#options = options;
    this.simulation = new Simulation({ seed: options.seed });
    this.#clock = new VirtualClock(this.simulation.events);
    this.table = new RelayTable({
      crypto: this.#crypto,
      neighbours: () => this.agents.map(({ id }) => id),
      sees: () => true,
      isOwnIndex: (index) => this.#hub.hasIndex(index),
    });
  }

  /** Lets virtual time pass, with the promises of tunnels between. */
  async advance(ms: number): Promise<void> {
    const end = this.simulation.nowMs + ms;
    while (this.simulation.nowMs < end) {
      const { nowMs, events } = this.simulation;
      this.simulation.advance(Math.min(Math.max(5, events.nextEventMs - nowMs), end - nowMs));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async #openHub(): Promise<void> {
    const host = this.simulation.addHost('hub', ['203.0.113.10']);
    const privateKey = this.simulation.random.bytes(32);
    this.#hubKey = new Uint8Array(publicKeyOf(privateKey));
    const probes = new HubProbes({
      crypto: this.#crypto,
      privateKey,
      hostsAt: () => this.agents.map(({ publicKey }) => publicKey),
      nowMs: () => this.simulation.nowMs,
    });
    probes.serveSecond(new HostSocket(host, this.#clock, PORT + 1));
    const openSocket = (): RelaySocket => {
      this.#carriers = new CarrierSocket(new HostSocket(host, this.#clock, PORT));
      const socket = new ProbeSocket(this.#carriers);
      probes.serve(socket);
      return new RelaySocket(socket, this.table, () => this.simulation.nowMs);
    };
    this.#hub = await Tunnel.create({
      ...this.#parts(),
      tun: new MemoryTun('memory', 1_420, (run) => this.#clock.callSoon(run)),
      openSocket,
    });
    this.table.setOwnKey(this.#hubKey);
    await this.#hub.apply({ privateKey, replacePeers: false, peers: [] });
    void this.#follow();
  }

  async #follow(): Promise<void> {
    for await (const { kind, peer: known } of this.#hub.events) {
      if ((kind !== 'handshake' && kind !== 'roamed') || known?.heardFrom === undefined) continue;
      const agent = this.agents.find(({ publicKey }) => Buffer.compare(publicKey, known.publicKey) === 0);
      if (agent !== undefined) this.table.setEndpoint(agent.id, known.heardFrom, this.simulation.nowMs);
    }
  }

  async #openAgent(index: number, natOptions: NatOptions): Promise<void> {
    const { nat, inside } = this.simulation.addNat(`203.0.113.${101 + index}`, natOptions);
    const host = this.simulation.addHost(`agent ${index}`, [`10.${index}.0.2`], inside);
    const privateKey = this.simulation.random.bytes(32);
    const clock = new WatchedClock(this.#clock);
    const agent = new SimAgent(String(index), new Uint8Array(publicKeyOf(privateKey)), nat, clock);
    this.agents.push(agent);
    this.table.putNode(agent.id, [agent.publicKey]);
    const keys = new ProbeKeys(this.#crypto);
    keys.setPrivateKey(privateKey);
    let probes: ProbeSocket | undefined;
    agent.paths = new PeerPaths({
      clock,
      keys,
      random: (bytes) => this.simulation.random.fill(bytes),
      sendProbe: (bytes, to) => probes!.sendProbe(bytes, to),
      askPunch: (node, attempt) => this.#later(() => this.#punch(agent, this.agents[Number(node)]!, attempt)),
      wantCarrier: (isWanted) => void this.#carry(agent, isWanted),
      greetHub: () => void this.#greetHub(agent),
      onChange: () => {},
    });
    const openSocket = (): AgentPathSocket => {
      agent.carriers = new CarrierSocket(new HostSocket(host, clock, PORT));
      probes = new ProbeSocket(agent.carriers);
      probes.onProbe = (bytes, from) => agent.paths.take(bytes, from);
      return new AgentPathSocket(probes, (number, isKeepalive) => agent.paths.find(number, isKeepalive));
    };
    agent.tun = new MemoryTun('memory', 1_420, (run) => clock.callSoon(run));
    agent.tun.onPacket = (packet) => agent.received.push(packet.slice());
    agent.tunnel = await Tunnel.create({ ...this.#parts(), clock, tun: agent.tun, openSocket });
    agent.paths.findPeer = (publicKey) => agent.tunnel.peer(publicKey);
    await agent.tunnel.apply({ privateKey, replacePeers: false, peers: [] });
    const allowedIps = [{ address: agent.inner, prefixLength: 32, isRemoval: false }];
    await this.#hub.apply({ replacePeers: false, peers: [{ ...peer, publicKey: agent.publicKey, allowedIps }] });
  }

  /** Gives an agent the hub and all others as peers. */
  async #introduce(agent: SimAgent): Promise<void> {
    const others = this.agents.filter((other) => other !== agent);
    const numbers = others.map((other) => [other, agent.paths.put(other.id, other.publicKey, undefined)] as const);
    const hub = {
      ...peer,
      publicKey: this.#hubKey,
      allowedIps: [],
      endpoint: peerEndpoint(HUB_NUMBER),
      persistentKeepaliveSeconds: 25,
    };
    const peers = numbers.map(([{ publicKey, inner }, number]) => ({
      ...peer,
      publicKey,
      endpoint: peerEndpoint(number),
      allowedIps: [{ address: inner, prefixLength: 32, isRemoval: false }],
    }));
    agent.paths.hub.setHub(
      this.#hubKey,
      Endpoint.from(HUB_ADDRESS, PORT),
      Endpoint.from(HUB_ADDRESS, PORT + 1),
      this.simulation.nowMs,
    );
    await agent.tunnel.apply({ replacePeers: false, peers: [hub, ...peers] });
    for (const { publicKey, endpoint } of [hub, ...peers]) agent.tunnel.setEndpoint(publicKey, endpoint, 'pinned');
    agent.paths.runDue();
  }

  /** Opens the carrier of an agent, or lets it end, and greets the hub by the way that is new. */
  async #carry(agent: SimAgent, isWanted: boolean): Promise<void> {
    if (isWanted) {
      const { events } = this.simulation;
      const { atAgent, atHub } = connectCarrier(
        events,
        agent.carriers,
        this.#carriers,
        this.#options.carrierDelayMs ?? 10,
      );
      agent.endCarrier = () => {
        agent.paths.hub.setCarrier(undefined);
        agent.carriers.removeConnection(atAgent);
        this.#carriers.removeConnection(atHub);
      };
      agent.paths.hub.setCarrier(atAgent);
    } else this.simulation.after(CARRIER_LINGERS_MS, () => agent.endCarrier());
    await this.#greetHub(agent);
  }

  async #greetHub(agent: SimAgent): Promise<void> {
    const greeting = { ...peer, publicKey: this.#hubKey, isUpdateOnly: true, replaceAllowedIps: false, allowedIps: [] };
    for (const persistentKeepaliveSeconds of [0, 25])
      await agent.tunnel.apply({ replacePeers: false, peers: [{ ...greeting, persistentKeepaliveSeconds }] });
  }

  #punch(asker: SimAgent, other: SimAgent, attempt: number): void {
    this.#punches.punch(this.#nodeOf(asker), this.#nodeOf(other), attempt, this.simulation.nowMs);
  }

  #nodeOf(agent: SimAgent): PunchNode {
    const endpoint = this.table.node(agent.id)?.endpoint;
    return {
      id: agent.id,
      report: { candidates: [], rttMs: this.#options.delayMs },
      observed: endpoint === undefined ? undefined : formatEndpoint(endpoint, NO_ZONES),
      send: (message) =>
        this.#later(() => {
          if (message.type !== 'punch') return;
          const candidates = message.candidates.map(({ address, kind }) => ({
            endpoint: parseEndpoint(address, NO_ZONES)!,
            kind,
          }));
          agent.paths.punch(message.node, candidates, message.inMs);
        }),
    };
  }

  /** After the delay of one way through the control connection. */
  #later(run: () => void): void {
    this.simulation.after(this.#options.delayMs / 2, run);
  }

  #parts() {
    const environment = {
      random: (out: Uint8Array) => this.simulation.random.fill(out),
      unixTimeMs: () => Date.UTC(2026, 0, 1) + this.simulation.nowMs,
    };
    return { crypto: this.#crypto, aead: new JsAead(), clock: this.#clock, environment };
  }
}
