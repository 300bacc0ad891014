import { formatEndpoint, NO_ZONES } from '../../control/endpoint-text.js';
import { formatIpAddress, parseIpAddress } from '../../control/ip-text.js';
import type { DeviceEvent } from '../../core/device-events.js';
import { VERDICT_NAMES } from '../../core/packets/verdict.js';
import type { PeerView } from '../../core/session/peer-view.js';
import type { Clock } from '../../host/clock.js';
import { SerialQueue } from '../../host/serial-queue.js';
import type { Tunnel } from '../../host/tunnel.js';
import { addressBytes, addressWords } from '../../netstack/address.js';
import type { AccessRule, Decision, Flow } from '../../policy/access.js';
import type { DeviceReport, Policy } from '../../policy/policy.js';
import type { SocketHost } from '../../rootless/socket-host.js';
import { TunnelServer } from '../../rootless/tunnel-server.js';
import type { TunnelSocket } from '../../rootless/tunnel-socket.js';
import type { EngineDevice, EngineEvent, EngineStatus, GatewayEngine, TunnelStream } from '../gateway-engine.js';
import type { Denial, LiveFlow, ProofStep } from '../gateway-service.js';
import type { Nat } from '../nat/nat.js';
import type { KernelUplink } from '../uplink/kernel-uplink.js';
import { type DeviceEntry, type DeviceTable, keysOf } from './device-table.js';
import type { OwnAddresses } from './own-addresses.js';
import { equals, peerChanges } from './peer-changes.js';
import type { PolicedTun } from './policed-tun.js';
import type { WallClock } from './wall-clock.js';

/** The parts of a running engine. */
export interface EngineParts {
  readonly tunnel: Tunnel;
  readonly tun: PolicedTun;
  readonly policy: Policy;
  readonly nat: Nat;
  readonly devices: DeviceTable;
  readonly wallClock: WallClock;
  readonly ownAddresses: OwnAddresses;
  readonly clock: Clock;
  readonly host: SocketHost;
  readonly hasRoute: GatewayEngine['hasRoute'];
  /** Absent: sockets carry the traffic. */
  readonly uplink?: KernelUplink | undefined;
  /** Rules behind all others. */
  readonly openings: readonly AccessRule[];
}

/** See `GatewayEngine`. */
export class RunningEngine implements GatewayEngine {
  readonly hasRoute: GatewayEngine['hasRoute'];
  readonly publicKey: Uint8Array;
  readonly #parts: EngineParts;
  readonly #listeners = new Set<(event: EngineEvent) => void>();
  readonly #servers: TunnelServer[] = [];
  /** A key that is used for the first time and a change of the device never cross. */
  readonly #queue = new SerialQueue();
  /** Devices with a handshake and no packet so far. */
  readonly #awaited = new Set<string>();
  #judgedRevision: number;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.hasRoute = parts.hasRoute;
    this.publicKey = parts.tunnel.state.publicKey!.slice();
    this.#judgedRevision = parts.policy.revision;
    void this.#followTunnel();
  }

  get listenPort(): number {
    return this.#parts.tunnel.state.listenPort;
  }

  get uplink(): GatewayEngine['uplink'] {
    return this.#parts.uplink === undefined ? 'sockets' : 'tun';
  }

  get limitations(): GatewayEngine['limitations'] {
    return this.#parts.uplink === undefined ? this.#parts.nat.limitations : [];
  }

  putDevice(device: EngineDevice): Promise<void> {
    return this.#queue.run(() => this.#put(device));
  }

  removeDevice(id: string): Promise<void> {
    return this.#queue.run(() => this.#remove(id));
  }

  async #put(device: EngineDevice): Promise<void> {
    const { tunnel, policy, devices, clock } = this.#parts;
    const before = devices.get(device.id);
    await tunnel.apply({ replacePeers: false, peers: peerChanges(before?.device, device) });
    if (device.nextPublicKey !== undefined) tunnel.letStandFor(device.nextPublicKey, device.publicKey);
    const entry = devices.put(device);
    this.#setPeers(entry);
    policy.putDevice(device, clock.nowMs());
    this.judgeAgain();
  }

  async #remove(id: string): Promise<void> {
    const { tunnel, policy, devices, nat } = this.#parts;
    const entry = devices.get(id);
    if (entry === undefined) return;
    await tunnel.apply({ replacePeers: false, peers: peerChanges(entry.device, undefined) });
    devices.remove(id);
    policy.removeDevice(id);
    nat.endFlowsOf(id);
  }

  setRules(rules: readonly AccessRule[]): void {
    this.#parts.policy.setRules([...rules, ...this.#parts.openings]);
    this.judgeAgain();
  }

  restoreQuota(id: string, quota: NonNullable<DeviceReport['quota']>): void {
    this.#parts.policy.restoreQuota(id, quota, this.#parts.clock.nowMs());
  }

  decide(flow: Flow): Decision {
    return this.#parts.policy.explain(flow, this.#parts.clock.nowMs());
  }

  status(id: string): EngineStatus | undefined {
    const { tunnel, policy, devices, clock, wallClock } = this.#parts;
    wallClock.check();
    const entry = devices.get(id);
    const report = policy.report(id, clock.nowMs());
    const peer = entry === undefined ? undefined : latest(entry.peers);
    if (entry === undefined || report === undefined || peer === undefined) return undefined;
    return {
      report,
      reason: tunnel.reasonOf(peer),
      ...(peer.lastHandshakeUnixMs === 0 ? {} : { lastHandshakeUnixMs: peer.lastHandshakeUnixMs }),
      ...(peer.endpoint === undefined ? {} : { endpoint: formatEndpoint(peer.endpoint, NO_ZONES) }),
      receivedBytes: entry.earlierReceivedBytes + sum(entry.peers, 'rxBytes'),
      sentBytes: entry.earlierSentBytes + sum(entry.peers, 'txBytes'),
      proof: entry.proof,
    };
  }

  flows(id: string): readonly LiveFlow[] {
    return this.#parts.nat.flowsOf(id);
  }

  denials(): readonly Denial[] {
    return this.#parts.nat.denials.list();
  }

  counters(): Readonly<Record<string, number>> {
    const { tunnel, nat, tun, policy } = this.#parts;
    const { verdicts } = tunnel.counters;
    const byVerdict = VERDICT_NAMES.map((name, verdict) => [`packets${name}`, verdicts[verdict] ?? 0] as const);
    return {
      ...Object.fromEntries(byVerdict),
      ...nat.counters,
      forwardingDrops: tun.forwardingDrops,
      unknownDeviceDrops: policy.unknownDeviceDrops,
    };
  }

  listenInside(port: number, onConnection: (stream: TunnelStream) => void): void {
    const { host, devices } = this.#parts;
    for (const address of host.loop.stack.addresses) {
      const server = new TunnelServer(host, { allowHalfOpen: true }, (socket: TunnelSocket) => {
        const device = devices.ofAddress(addressWords(parseIpAddress(socket.remoteAddress!)!));
        if (device === undefined) socket.destroy();
        else onConnection(Object.assign(socket, { device }) as TunnelStream);
      });
      server.listen(port, formatIpAddress(addressBytes(address)));
      this.#servers.push(server);
    }
  }

  onEvent(listener: (event: EngineEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Notes what devices did with the packets that came in, and ends flows that a used-up quota or an expiry forbids. */
  packetsCameIn(): void {
    this.#parts.wallClock.check();
    this.#parts.ownAddresses.check();
    this.judgeAgain();
    for (const id of this.#awaited) this.#noteFirstPacket(id);
  }

  /** Asks policy again about the flows that live, if any decision may come out differently. */
  judgeAgain(): void {
    const { policy, nat } = this.#parts;
    if (policy.revision === this.#judgedRevision) return;
    this.#judgedRevision = policy.revision;
    nat.judgeAgain();
  }

  /** Notes a step of a device that proves itself. */
  noteProof(id: string, step: ProofStep): void {
    const proof = this.#parts.devices.get(id)?.proof;
    if (proof === undefined || proof[step] !== undefined) return;
    proof[step] = Date.now();
    this.emit({ kind: 'proof', device: id, step });
  }

  emit(event: EngineEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  async close(): Promise<void> {
    const { tunnel, nat, devices, uplink } = this.#parts;
    for (const server of this.#servers) server.close();
    nat.close();
    // The resets of the flows leave with the next turn.
    await new Promise((resolve) => setImmediate(resolve));
    tunnel.close(); // first, so that no packet of a device leaves without masquerade
    await uplink?.close();
    devices.clear();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #followTunnel(): Promise<void> {
    for await (const event of this.#parts.tunnel.events) await this.#take(event);
  }

  async #take({ kind, peer }: DeviceEvent): Promise<void> {
    const { devices, host } = this.#parts;
    const entry = peer === undefined ? undefined : devices.ofKey(peer.publicKey);
    if (entry === undefined || peer === undefined) return;
    const { id } = entry.device;
    if (kind === 'roamed' && peer.endpoint !== undefined)
      this.emit({ kind: 'roamed', device: id, endpoint: formatEndpoint(peer.endpoint, NO_ZONES) });
    if (kind !== 'handshake') return;
    host.loop.sessionBegan();
    this.noteProof(id, 'handshake');
    if (entry.proof['first-packet'] === undefined) this.#awaited.add(id);
    this.emit({ kind: 'handshake', device: id });
    const { nextPublicKey } = entry.device;
    if (nextPublicKey !== undefined && equals(peer.publicKey, nextPublicKey))
      await this.#queue.run(() => this.#useNextKey(entry));
  }

  #noteFirstPacket(id: string): void {
    const report = this.#parts.policy.report(id, this.#parts.clock.nowMs());
    if (report !== undefined && report.counts.receivedPackets === 0) return;
    this.#awaited.delete(id);
    this.noteProof(id, 'first-packet');
  }

  /** The addresses move to the peer of the next key, and the old key is refused from here on. */
  async #useNextKey({ device }: DeviceEntry): Promise<void> {
    const { nextPublicKey, ...rest } = device;
    if (nextPublicKey === undefined) return; // it was taken back meanwhile
    await this.#put({ ...rest, publicKey: nextPublicKey });
    this.emit({ kind: 'rekeyed', device: device.id });
  }

  /** Finds the peers of a device. Those that are gone leave their counts behind. */
  #setPeers(entry: DeviceEntry): void {
    const peers = keysOf(entry.device).flatMap((key) => this.#parts.tunnel.peer(key) ?? []);
    const gone = entry.peers.filter((peer) => !peers.some((kept) => kept === peer));
    entry.earlierReceivedBytes += sum(gone, 'rxBytes');
    entry.earlierSentBytes += sum(gone, 'txBytes');
    entry.peers = peers;
  }
}

function latest(peers: readonly PeerView[]): PeerView | undefined {
  return peers.toSorted((a, b) => b.lastHandshakeUnixMs - a.lastHandshakeUnixMs)[0];
}

function sum(peers: readonly PeerView[], counter: 'rxBytes' | 'txBytes'): number {
  return peers.reduce((total, peer) => total + peer[counter], 0);
}
