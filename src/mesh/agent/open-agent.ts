import { lookup } from 'node:dns/promises';
import { connect as connectTcp } from 'node:net';
import type { Duplex } from 'node:stream';

import { parseIpAddress } from '../../control/ip-text.js';
import { RouteMonitor } from '../../host/route-monitor.js';
import type { Tun } from '../../host/tun.js';
import type { Tunnel } from '../../host/tunnel.js';
import { createEngine, findAddon } from '../../rootless/engine.js';
import { StackLoop } from '../../rootless/stack-loop.js';
import { TunnelHost } from '../../rootless/tunnel-host.js';
import type { AgentEvent, MeshAgentOptions } from './agent-options.js';
import { localCandidates } from './local-candidates.js';
import { MeshAgent } from './mesh-agent.js';
import type { NodeState } from './node-state.js';
import type { Outside } from './outside.js';
import { RouterPort } from './router-port.js';

export interface OpenAgentOptions {
  readonly state: NodeState;
  readonly save: (state: NodeState) => Promise<void>;
  readonly offeredRoutes?: readonly string[];
  readonly exitNode?: string;
  /** The way of all that the agent itself sends, beside the exit. */
  readonly outside?: Outside;
  readonly onEvent?: (event: AgentEvent) => void;
}

export const AGENT_MTU = 1_420;

/** Runs an agent on a TUN of the system. The TUN belongs to the agent from here on. */
export async function openAgentOn(tun: Tun, options: OpenAgentOptions): Promise<MeshAgent> {
  const { clock, parts } = createEngine();
  const { outside } = options;
  const connect = (host: string, port: number): Duplex => connectTcp({ host, port });
  const ways = outside === undefined ? { lookup: systemLookup } : waysOutside(outside);
  const agent = await MeshAgent.start({ ...options, ...parts, ...ways, clock, tun, connect });
  followNetwork(agent, outside?.mark);
  return agent;
}

/** An agent inside of this program. */
export interface RootlessAgent {
  readonly agent: MeshAgent;
  readonly host: TunnelHost;
  close(): Promise<void>;
}

/** Runs an agent with a TCP/IP stack of this program, without root. */
export async function openRootlessAgent(
  options: OpenAgentOptions & { readonly addresses: readonly string[] },
): Promise<RootlessAgent> {
  const { clock, segmenter, parts } = createEngine();
  const { addresses: texts, state } = options;
  const addresses = texts.map((text) => parseIpAddress(text)!);
  const loop = new StackLoop({ name: 'mesh', clock, segmenter, crypto: parts.crypto, addresses, mtu: AGENT_MTU });
  let host: TunnelHost | undefined;
  const agent = await MeshAgent.start({
    ...options,
    ...parts,
    clock,
    tun: loop.tun,
    lookup: systemLookup,
    connect: (to, port) => host!.connect({ host: to, port }),
    onTunnel: (tunnel) => {
      host = new TunnelHost({
        tunnel,
        loop,
        addresses: texts,
        dnsServers: state.hub.addresses,
        searchDomains: [`${state.network}.internal`],
      });
      void followSessions(tunnel, loop);
    },
  });
  followNetwork(agent);
  const close = async (): Promise<void> => {
    await agent.close();
    await host!.close();
  };
  return { agent, host: host!, close };
}

/**
 * Looks at the network whenever addresses or routes have changed: only another address, or another way to the hub, is another
 * network. Without the addon the paths notice it by themselves, later.
 */
function followNetwork(agent: MeshAgent, mark = 0): void {
  const addon = findAddon();
  if (addon === undefined) return;
  const monitor = RouteMonitor.open(addon);
  const look = (): string => {
    const { udp } = agent.paths.hub;
    const route = udp === undefined ? 0 : monitor.routeInterface(udp, mark);
    const local = localCandidates({ port: 1, subnets: agent.state.hub.subnets, mapped: undefined });
    return `${route} ${local.map(({ address }) => address).join()}`;
  };
  let seen = look();
  const openPort = new RouterPort(agent);
  void openPort.open();
  monitor.onChange = () => {
    const now = look();
    if (now === seen) return agent.tunnel.routesChanged();
    seen = now;
    void openPort.open();
    void agent.networkChanged().catch(() => {});
  };
  agent.tunnel.isSourceStale = (endpoint, mark) => monitor.isSourceStale(endpoint, mark);
  agent.onClosed = async () => {
    monitor.close();
    await openPort.close();
  };
}

function waysOutside(outside: Outside): Pick<MeshAgentOptions, 'lookup' | 'findPlace' | 'onTunnel'> {
  return {
    lookup: (host) => outside.lookup(host),
    findPlace: (host) => outside.findPlace(host),
    onTunnel: (tunnel) => tunnel.apply({ fwmark: outside.mark, replacePeers: false, peers: [] }),
  };
}

async function followSessions(tunnel: Tunnel, loop: StackLoop): Promise<void> {
  for await (const { kind } of tunnel.events) if (kind === 'handshake') loop.sessionBegan();
}

async function systemLookup(name: string): Promise<string> {
  return (await lookup(name)).address;
}
