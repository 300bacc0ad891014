import { randomBytes } from 'node:crypto';

import { parseIpAddress } from '../../control/ip-text.js';
import { Tunnel } from '../../host/tunnel.js';
import { addressWords } from '../../netstack/address.js';
import type { AccessRule } from '../../policy/access.js';
import { Policy } from '../../policy/policy.js';
import { createEngine, findAddon } from '../../rootless/engine.js';
import type { SocketHost } from '../../rootless/socket-host.js';
import { StackLoop } from '../../rootless/stack-loop.js';
import { DnsForwarder } from '../dns/dns-forwarder.js';
import { Upstreams } from '../dns/upstreams.js';
import type { GatewayEngineOptions } from '../gateway-engine.js';
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
import { DeviceTable } from './device-table.js';
import { hostAddresses, routesOfHost } from './host-routes.js';
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
  const addresses = options.addresses.map(({ address }) => address);
  const loop = new StackLoop({
    name: 'gateway',
    clock,
    segmenter,
    crypto: parts.crypto,
    addresses,
    mtu: options.mtu,
    acceptsAny: true,
  });
  const denials = new Denials();
  const policy = new Policy({
    gatewayAddresses: addresses,
    subnets: options.addresses,
    timeZone: options.timeZone,
    seed: randomBytes(4).readUInt32LE(),
    unixMs: Date.now(),
    nowMs: clock.nowMs(),
    onDenied: (flow, decision) => {
      denials.add(flow, decision, Date.now());
      engine?.emit({ kind: 'denied', denial: denials.list()[0]! });
    },
  });
  policy.setOwnAddresses(hostAddresses());
  const openings = options.openings.map(openingRule);
  policy.setRules(openings);
  const devices = new DeviceTable();
  const wallClock = new WallClock(policy, clock);
  const tun = new PolicedTun({ loop, policy, clock, onInbound: () => engine?.packetsCameIn() });
  let engine: RunningEngine | undefined;

  const tunnel = await Tunnel.create({ ...parts, tun });
  try {
    await tunnel.apply({
      privateKey: options.privateKey,
      listenPort: options.listenPort,
      replacePeers: false,
      peers: [],
    });
  } catch (error) {
    tunnel.close();
    throw error;
  }
  const host: SocketHost = { loop, lookup: () => Promise.resolve([]), ref: () => {}, unref: () => {} };
  const natHost: NatHost = {
    loop,
    policy: {
      decide: (flow) => policy.decide(flow, clock.nowMs()),
      explain: (flow) => policy.explain(flow, clock.nowMs()),
    },
    counters: createNatCounters(),
    deviceOf: (address) => devices.ofAddress(address),
    onConnected: (device) => engine?.noteProof(device, 'connected'),
  };
  const echoes = echoSender();
  const dns = new DnsForwarder({
    host,
    upstreams: new Upstreams(options.resolvers),
    ownName: GATEWAY_NAME,
    deviceOf: (address) => {
      const id = devices.ofAddress(addressWords(parseIpAddress(address)!));
      if (id === undefined) return undefined;
      return { id, isGood: policy.report(id, clock.nowMs())?.standing === 'good' };
    },
    onResolved: (device) => engine?.noteProof(device, 'name-resolved'),
  });
  const nat = new Nat({
    tcp: new TcpNat(natHost),
    udp: new UdpNat(natHost),
    echo: new EchoNat(natHost, echoes),
    dns,
    denials,
    counters: natHost.counters,
    limitations: echoes === undefined ? [NO_PING] : [],
  });
  const hasRoute = await routesOfHost();
  engine = new RunningEngine({ tunnel, tun, policy, nat, devices, wallClock, clock, host, hasRoute, openings });
  return engine;
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
