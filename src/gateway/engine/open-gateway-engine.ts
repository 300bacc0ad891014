import { randomBytes } from 'node:crypto';

import { parseIpAddress } from '../../control/ip-text.js';
import type { Clock } from '../../host/clock.js';
import { type OpenSocket, Tunnel, type TunnelOptions } from '../../host/tunnel.js';
import { addressWords } from '../../netstack/address.js';
import type { AccessRule } from '../../policy/access.js';
import { Policy, type PolicyOptions } from '../../policy/policy.js';
import { createEngine, findAddon } from '../../rootless/engine.js';
import type { SocketHost } from '../../rootless/socket-host.js';
import { StackLoop } from '../../rootless/stack-loop.js';
import { DnsForwarder } from '../dns/dns-forwarder.js';
import { Upstreams } from '../dns/upstreams.js';
import type { GatewayEngineOptions, NameSource } from '../gateway-engine.js';
import { Denials } from '../nat/denials.js';
import { EchoNat } from '../nat/echo-nat.js';
import { Nat } from '../nat/nat.js';
import { createNatCounters } from '../nat/nat-counters.js';
import type { NatHost } from '../nat/nat-host.js';
import { TcpNat } from '../nat/tcp-nat.js';
import { UdpNat } from '../nat/udp-nat.js';
import type { EchoSender } from '../ping/echo-sender.js';
import { ProgramEchoes } from '../ping/program-echoes.js';
import { SocketEchoes } from '../ping/socket-echoes.js';
import { KernelUplink } from '../uplink/kernel-uplink.js';
import { UplinkTun } from '../uplink/uplink-tun.js';
import { DeviceTable } from './device-table.js';
import { routesOfHost } from './host-routes.js';
import { OwnAddresses } from './own-addresses.js';
import { PolicedTun } from './policed-tun.js';
import { RunningEngine } from './running-engine.js';
import { WallClock } from './wall-clock.js';

/** The name that devices reach the gateway by, resolved by the gateway itself. */
export const GATEWAY_NAME = 'gateway.internal';

/**
 * Starts WireGuard, policy and NAT, in this process and without root.
 *
 * @throws {WireGuardError} ERR_PORT_IN_USE
 */
export async function openGatewayEngine(options: GatewayEngineOptions): Promise<RunningEngine> {
  const { clock, segmenter, parts } = createEngine();
  const { mtu, privateKey, listenPort } = options;
  const addresses = options.addresses.map(({ address }) => address);
  const { crypto } = parts;
  const loop = new StackLoop({ name: 'gateway', clock, segmenter, crypto, addresses, mtu, acceptsAny: true });
  const denials = new Denials();
  const devices = new DeviceTable();
  const openings = options.openings.map(openingRule);
  const policy = createPolicy(options, clock, (flow, decision) => {
    const denial = denials.add(flow, decision, Date.now());
    engine?.emit({ kind: 'denied', denial });
  });
  policy.setRules(openings);
  const wallClock = new WallClock(policy, clock);
  const ownAddresses = new OwnAddresses(policy, clock);
  const uplink = options.uplink === 'tun' ? await KernelUplink.open(options) : undefined;
  const inner = uplink === undefined ? loop.tun : new UplinkTun({ loop, uplink: uplink.tun, policy, clock });
  const tun = new PolicedTun({ loop, inner, policy, clock, onInbound: () => engine?.packetsCameIn() });
  let engine: RunningEngine | undefined;

  const { wrapSocket = (socket) => socket } = options;
  const openSocket: OpenSocket = async (port, mark) => wrapSocket(await parts.openSocket(port, mark), () => opened);
  let opened: Tunnel | undefined;
  const tunnel = await createTunnel({ ...parts, openSocket, tun }, { privateKey, listenPort }).catch(async (error) => {
    await uplink?.close();
    throw error;
  });
  opened = tunnel;
  const host: SocketHost = { loop, lookup: () => Promise.resolve([]), ref: () => {}, unref: () => {} };
  const { resolvers, names } = options;
  const nat = createNat({ host, policy, clock, devices, denials, resolvers, names }, (device, step) => {
    engine?.noteProof(device, step);
  });
  const hasRoute = await routesOfHost();
  engine = new RunningEngine({
    tunnel,
    tun,
    policy,
    nat,
    devices,
    wallClock,
    ownAddresses,
    clock,
    host,
    hasRoute,
    openings,
    uplink,
  });
  return engine;
}

/** @throws {WireGuardError} The TUN is closed then. */
async function createTunnel(
  options: TunnelOptions,
  { privateKey, listenPort }: Pick<GatewayEngineOptions, 'privateKey' | 'listenPort'>,
): Promise<Tunnel> {
  const tunnel = await Tunnel.create(options);
  try {
    await tunnel.apply({ privateKey, listenPort, replacePeers: false, peers: [] });
    return tunnel;
  } catch (error) {
    tunnel.close();
    throw error;
  }
}

function createPolicy(
  options: GatewayEngineOptions,
  clock: Clock,
  onDenied: NonNullable<PolicyOptions['onDenied']>,
): Policy {
  const policy = new Policy({
    gatewayAddresses: options.addresses.map(({ address }) => address),
    subnets: options.addresses,
    timeZone: options.timeZone,
    seed: randomBytes(4).readUInt32LE(),
    unixMs: Date.now(),
    nowMs: clock.nowMs(),
    onDenied,
  });
  return policy;
}

interface NatSurroundings {
  readonly host: SocketHost;
  readonly policy: Policy;
  readonly clock: Clock;
  readonly devices: DeviceTable;
  readonly denials: Denials;
  readonly resolvers: readonly string[];
  readonly names?: NameSource | undefined;
}

/** @param onProof Told of steps by which a device proves itself. */
function createNat(
  { host, policy, clock, devices, denials, resolvers, names }: NatSurroundings,
  onProof: (device: string, step: 'connected' | 'name-resolved') => void,
): Nat {
  const counters = createNatCounters();
  const natHost: NatHost = {
    loop: host.loop,
    policy: {
      decide: (flow) => policy.decide(flow, clock.nowMs()),
      explain: (flow) => policy.explain(flow, clock.nowMs()),
    },
    counters,
    deviceOf: (address) => devices.ofAddress(address),
    onConnected: (device) => onProof(device, 'connected'),
  };
  const dns = new DnsForwarder({
    host,
    upstreams: new Upstreams(resolvers),
    ownName: GATEWAY_NAME,
    names,
    deviceOf: (address) => {
      const id = devices.ofAddress(addressWords(parseIpAddress(address)!));
      return id === undefined ? undefined : { id, isGood: policy.report(id, clock.nowMs())?.standing === 'good' };
    },
    onResolved: (device) => onProof(device, 'name-resolved'),
  });
  const echoes = echoSender();
  return new Nat({
    tcp: new TcpNat(natHost),
    udp: new UdpNat(natHost),
    echo: new EchoNat(natHost, echoes),
    dns,
    denials,
    counters,
    limitations: echoes === undefined ? [NO_PING] : [],
  });
}

const NO_PING = { what: 'ping', reason: 'no-ping-socket' } as const;

function echoSender(): EchoSender | undefined {
  const addon = findAddon();
  if (addon !== undefined && SocketEchoes.isPossible(addon)) return new SocketEchoes(addon);
  const program = ProgramEchoes.find();
  return program === undefined ? undefined : new ProgramEchoes(program);
}

/** An opening is the last of the rules: what the administrator of the page denies stays denied. */
function openingRule({ prefix, port }: GatewayEngineOptions['openings'][number], index: number): AccessRule {
  return {
    id: `opening-${index + 1}`,
    action: 'allow',
    from: { kind: 'everyone' },
    to: { kind: 'prefix', prefix },
    ...(port === undefined ? {} : { ports: { first: port, last: port } }),
  };
}
