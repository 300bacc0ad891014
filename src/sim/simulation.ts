import { PacketBatch } from '../core/packets/packet-batch.js';
import type { AeadStage } from '../core/ports.js';
import { JsAead } from '../crypto/js-aead.js';
import { NodeCrypto } from '../crypto/node-crypto.js';
import { NonceLedger } from './audited-aead.js';
import { EventQueue } from './event-queue.js';
import { Host } from './host.js';
import { Nat, type NatOptions } from './nat.js';
import { Network } from './network.js';
import { SeededRandom } from './seeded-random.js';
import { SwiftAead } from './swift-aead.js';
import { type NodeSurroundings, TunnelNode } from './tunnel-node.js';

export interface SimulationOptions {
  /** The seed of all random choices. */
  readonly seed: number;
  /** Reading of the monotonic clock at the start. */
  readonly startMs?: number;
  /** Whether the AEAD is a fast stand-in without encryption, for runs of a million messages. */
  readonly isSwift?: boolean;
  /**
   * Charges nodes virtual time for their work, as a small server would take, so that a flood has a price. Without costs,
   * nodes are infinitely fast.
   */
  readonly hasCosts?: boolean;
}

const DEFAULT_START_MS = 50;
const START_UNIX_MS = Date.UTC(2026, 0, 1);
const WIREGUARD_PORT = 51_820;
const BATCH_ROWS = 128;
const BATCH_BYTES = 512 * 1024;

/**
 * A world of hosts, networks and WireGuard nodes on virtual time.
 *
 * The simulation never waits and has no outside input: the same seed gives the same run. Time jumps from one event to
 * the next, where events are arriving datagrams, deadlines of devices, and steps of a script.
 *
 * ```ts
 * const simulation = new Simulation({ seed: 1 });
 * const a = simulation.addNode('a', simulation.addHost('a', ['192.0.2.1']));
 * a.setPrivateKey(simulation.random.bytes(32));
 * simulation.network.setConditions({ delayMs: 20, lossRate: 0.01 });
 * simulation.advance(60_000);
 * ```
 */
export class Simulation {
  readonly seed: number;
  readonly events: EventQueue;
  /** For scripts. Networks and nodes have generators of their own. */
  readonly random: SeededRandom;
  readonly ledger = new NonceLedger();
  /** The default network of all hosts. */
  readonly network: Network;
  readonly nodes: TunnelNode[] = [];
  readonly #surroundings: NodeSurroundings;

  constructor({ seed, startMs = DEFAULT_START_MS, isSwift = false, hasCosts = false }: SimulationOptions) {
    this.seed = seed;
    this.events = new EventQueue(startMs);
    this.random = new SeededRandom(seed);
    this.#surroundings = {
      events: this.events,
      random: this.random.fork(),
      ledger: this.ledger,
      crypto: new NodeCrypto(),
      hasCosts,
      makeAead: (): AeadStage => (isSwift ? new SwiftAead() : new JsAead()),
      inbound: new PacketBatch(BATCH_ROWS, BATCH_BYTES),
      outbound: new PacketBatch(BATCH_ROWS, BATCH_BYTES),
    };
    this.network = this.addNetwork('internet');
  }

  get nowMs(): number {
    return this.events.nowMs;
  }

  addNetwork(name: string): Network {
    return new Network(name, this.events, this.random.fork());
  }

  addHost(name: string, addresses: readonly string[], network: Network = this.network): Host {
    return new Host(name, network, addresses);
  }

  /** Puts a NAT between `network` and a new network inside, which is returned with it. */
  addNat(address: string, options: NatOptions, network: Network = this.network): { nat: Nat; inside: Network } {
    const inside = this.addNetwork(`inside of ${address}`);
    const nat = new Nat({ outside: network, inside }, address, options, this.events, this.random.fork());
    return { nat, inside };
  }

  /** A device on `host`, down and without a key. */
  addNode(name: string, host: Host, port = WIREGUARD_PORT): TunnelNode {
    const node = new TunnelNode(name, host, port, START_UNIX_MS + this.nowMs, this.#surroundings);
    this.nodes.push(node);
    return node;
  }

  /** Lets time pass. */
  advance(ms: number): void {
    this.events.runUntil(this.nowMs + ms);
  }

  /** Schedules a step of the script. */
  after(ms: number, run: () => void): void {
    this.events.schedule(this.nowMs + ms, run);
  }

  /** Lets time pass until a condition holds, checked after each event. @returns Whether the condition was met. */
  advanceUntil(isDone: () => boolean, limitMs: number): boolean {
    const end = this.nowMs + limitMs;
    while (!isDone()) {
      if (this.events.nextEventMs > end) {
        this.events.runUntil(end);
        return isDone();
      }
      this.events.runNext();
    }
    return true;
  }
}
