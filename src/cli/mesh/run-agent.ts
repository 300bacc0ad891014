import { once } from 'node:events';
import { mkdirSync } from 'node:fs';

import { SystemCommands } from '../../host/net/commands.js';
import { SerialQueue } from '../../host/serial-queue.js';
import type { AgentEvent } from '../../mesh/agent/agent-options.js';
import type { MeshAgent } from '../../mesh/agent/mesh-agent.js';
import { type NodeState, readNodeState, writeNodeState } from '../../mesh/agent/node-state.js';
import { openAgentOn, openRootlessAgent } from '../../mesh/agent/open-agent.js';
import { Outside } from '../../mesh/agent/outside.js';
import { isExitRoute, readExit } from '../../mesh/agent/read-exit.js';
import { DirectExit } from '../../proxy/exits/direct-exit.js';
import { TunnelExit } from '../../proxy/exits/tunnel-exit.js';
import { parseRule } from '../../proxy/rules/parse-rule.js';
import { Router } from '../../proxy/rules/router.js';
import { formatListenAddress } from '../../proxy/server/listen-on.js';
import { ProxyCounters } from '../../proxy/server/proxy-counters.js';
import { ProxyServer } from '../../proxy/server/proxy-server.js';
import type { TunnelHost } from '../../rootless/tunnel-host.js';
import type { CommandIo } from '../command.js';
import { requireAddon } from '../daemon/native-parts.js';
import { AgentServer } from './agent-server.js';
import { eventText } from './agent-text.js';
import { ExitNotice } from './exit-notice.js';
import { EXIT_MARK, ExitRoutes } from './exit-routes.js';
import { agentSocketPath } from './mesh-folder.js';
import { MeshInterface } from './mesh-interface.js';
import { type MeshNames, openNames } from './mesh-names.js';

export interface AgentRun {
  readonly folder: string;
  readonly isRootless: boolean;
  /** SOCKS5 and HTTP proxy of a rootless agent. */
  readonly proxy?: { readonly host: string; readonly port: number };
  readonly health?: { readonly host: string; readonly port: number };
  readonly routes: readonly string[];
  readonly exitNode?: string;
}

interface Opened {
  readonly agent: MeshAgent;
  close(): Promise<void>;
}

/**
 * Runs the agent of a node until it is interrupted, removed, or leaves.
 *
 * @returns Exit status: 3 for a node that was removed, so that a supervisor does not start it again.
 * @throws {WireGuardError} If it cannot start.
 */
export async function runAgent(run: AgentRun, io: CommandIo): Promise<number> {
  const interruption = io.interruption();
  const ending = new AbortController();
  const end = AbortSignal.any([interruption, ending.signal]);
  mkdirSync(run.folder, { recursive: true, mode: 0o700 });
  const say = (line: string): void => io.write(`${line}\n`);
  let status = 0;
  const state = readNodeState(run.folder, say);
  const onEvent = (event: AgentEvent): void => {
    const line = eventText(event);
    if (line !== undefined) say(`${new Date().toISOString().slice(11, 19)} ${line}`);
    if (event.kind !== 'revoked') return;
    status = 3;
    ending.abort();
  };
  const opened = run.isRootless
    ? await openRootless(run, state, onEvent, say)
    : await openWithInterface(run, state, onEvent, io);
  const server = new AgentServer(opened.agent, () => ending.abort());
  try {
    await server.listenLocal(agentSocketPath(run.folder));
    if (run.health !== undefined) await server.listenHealth(run.health);
    say(
      `${state.name} is ${state.addresses.join(' and ')} in ${state.network}. Names end with .${state.network}.internal.`,
    );
    if (state.self === undefined) say('It waits for the signature of the administrator: wiretype mesh sign');
    if (!end.aborted) await once(end, 'abort');
    return status;
  } finally {
    server.close();
    await opened.close();
  }
}

async function openRootless(
  run: AgentRun,
  state: NodeState,
  onEvent: (event: AgentEvent) => void,
  say: (line: string) => void,
): Promise<Opened> {
  const { addresses } = state;
  const save = (next: NodeState): Promise<void> => writeNodeState(run.folder, next);
  const { agent, host, close } = await openRootlessAgent({ state, save, onEvent, addresses });
  const proxy = run.proxy === undefined ? undefined : await startProxy(run.proxy, host, state);
  if (proxy !== undefined) say(`SOCKS5 and HTTP proxy: ${formatListenAddress(proxy.addresses[0]!)}`);
  return {
    agent,
    close: async () => {
      await proxy?.close();
      await close();
    },
  };
}

/** Names and addresses of the network go through the mesh, everything else leaves by this host. */
async function startProxy(
  at: { readonly host: string; readonly port: number },
  host: TunnelHost,
  { network, hub: { subnets } }: NodeState,
): Promise<ProxyServer> {
  const ways = [`${network}.internal ${network}`, ...subnets.map((subnet) => `${subnet} ${network}`), '* direct'];
  const rules = ways.map(parseRule);
  const router = new Router({ tunnels: [new TunnelExit(network, host)], direct: new DirectExit(), rules });
  return await ProxyServer.start([{ protocol: 'any', at }], router, new ProxyCounters());
}

async function openWithInterface(
  run: AgentRun,
  state: NodeState,
  onEvent: (event: AgentEvent) => void,
  io: CommandIo,
): Promise<Opened> {
  const { addresses } = state;
  const commands = new SystemCommands((text) => io.writeError(text));
  const quiet = new SystemCommands(() => {});
  const options = { network: state.network, addresses, subnets: state.hub.subnets, leadsTo: run.routes };
  const device = await MeshInterface.open(options, commands);
  let agent: MeshAgent | undefined;
  let names: MeshNames | undefined;
  const queue = new SerialQueue();
  const notice = new ExitNotice((line) => io.write(`${line}\n`));
  const exit = new ExitRoutes(commands, device.tun.name, device.families, run.folder);
  const outside = await openExit(run, exit, state);
  const followMap = async (): Promise<void> => {
    if (agent === undefined) return;
    names?.update();
    await device.setRoutes(routesOf(agent));
    await device.setLeadsTo(agent.state.self?.record.routes ?? []);
    if (agent.map.rev !== undefined) notice.note(readExit(agent));
  };
  const follow = (): Promise<void> => queue.run(followMap);
  const save = (next: NodeState): Promise<void> => writeNodeState(run.folder, next);
  agent = await openAgentOn(device.tun, {
    state,
    save,
    offeredRoutes: run.routes,
    ...(run.exitNode === undefined ? {} : { exitNode: run.exitNode }),
    ...(outside === undefined ? {} : { outside }),
    onEvent: (event) => {
      onEvent(event);
      if (event.kind === 'map') void follow().catch((error: Error) => io.writeError(`${error.message}\n`));
    },
  }).catch(async (error) => {
    await exit.clear();
    throw error;
  });
  await follow();
  names = await openNames(agent, device, quiet);
  return {
    agent,
    close: async () => {
      await names?.close();
      await exit.clear();
      await device.close();
      await agent!.close();
    },
  };
}

/** Takes the way of everything, before the first connection of the agent; without an exit, removes what is left of one. */
async function openExit({ exitNode }: AgentRun, exit: ExitRoutes, { hub }: NodeState): Promise<Outside | undefined> {
  if (exitNode === undefined) return void (await exit.clear());
  const outside = new Outside(requireAddon(), EXIT_MARK);
  await outside.meet(hub);
  await exit.open();
  return outside;
}

/** The ranges that other nodes lead to. An exit has routes of its own, whatever the map says. */
function routesOf(agent: MeshAgent): string[] {
  const others = [...agent.map.entries.values()].filter(({ record }) => record.id !== agent.state.id);
  return [...new Set(others.flatMap(({ record }) => record.routes.filter((route) => !isExitRoute(route))))];
}
