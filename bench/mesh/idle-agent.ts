import { setTimeout as sleep } from 'node:timers/promises';

import { CHECKOUT } from '../../test/lab/implementation.js';
import { addAddresses } from '../../test/lab/lab.js';
import { Machine } from '../../test/lab/machine.js';
import type { Host } from '../../test/lab/namespace.js';
import type { Program } from '../../test/lab/program.js';
import { waitFor } from '../../test/lab/wait.js';
import { HUB } from '../contender.js';
import { mainThreadWakeUps, wakeUps } from '../load/process-figures.js';
import type { Measure } from '../measure.js';
import type { Site } from '../site.js';
import { type HubSite, openHub } from './hub-site.js';

const HUB_ADDRESS = '203.0.113.10';
const WIRETYPE = `${CHECKOUT}bin/wiretype`;
/** A path without traffic for 45 s is idle; the rest is for what begins then. */
const REST_MS = 60_000;
/** A whole life of a session, so that the handshake which renews it is in it once. */
const WINDOW_MS = 120_000;
const MINUTE_MS = 60_000;
/** The hub's keepalive. */
const KEEPALIVE_MS = 25_000;
const COUNTERS = `table inet idle {
  counter datagrams { }
  chain in {
    type filter hook input priority 0
    iifname eth0 meta l4proto udp counter name datagrams
  }
  chain out {
    type filter hook output priority 0
    oifname eth0 meta l4proto udp counter name datagrams
  }
}`;

interface Node {
  readonly machine: Machine;
  readonly agent: Program;
  readonly state: string;
}

/** One of two agents that have a direct path and nothing to say, and their hub. */
export const idleAgent: Measure = {
  id: 'mesh-idle',
  quantities: [
    {
      id: 'mesh-idle-datagrams',
      title: 'idle agent, datagrams in 25 s, both ways',
      unit: '',
      digits: 1,
      isMoreBetter: false,
    },
    {
      id: 'mesh-idle-wakeups',
      title: 'idle agent, wake-ups of the main thread',
      unit: '/min',
      digits: 1,
      isMoreBetter: false,
      goal: { atMost: 3 },
    },
    {
      id: 'mesh-idle-all-wakeups',
      title: 'idle agent, wake-ups of all threads',
      unit: '/min',
      digits: 1,
      isMoreBetter: false,
    },
    {
      id: 'mesh-idle-hub',
      title: 'hub of two idle agents, wake-ups of the main thread',
      unit: '/min',
      digits: 1,
      isMoreBetter: false,
    },
  ],
  per: 'run',
  isLong: true,
  suits: ({ title }) => title === HUB,
  async take(site) {
    const hubHost = await openBridge(site);
    const hub = await openHub(site, hubHost, HUB_ADDRESS);
    const [left, right] = [await openNode(site, hub, 1), await openNode(site, hub, 2)];
    await waitForDirectPath(left, 'node-2');
    await waitForDirectPath(right, 'node-1');
    await left.machine.host.nft(COUNTERS);
    await sleep(REST_MS);
    const before = await look(left, hub);
    await sleep(WINDOW_MS);
    const after = await look(left, hub);
    return {
      'mesh-idle-datagrams': ((after.datagrams - before.datagrams) / WINDOW_MS) * KEEPALIVE_MS,
      'mesh-idle-wakeups': ((after.main - before.main) / WINDOW_MS) * MINUTE_MS,
      'mesh-idle-all-wakeups': ((after.all - before.all) / WINDOW_MS) * MINUTE_MS,
      'mesh-idle-hub': ((after.hub - before.hub) / WINDOW_MS) * MINUTE_MS,
    };
  },
};

async function openBridge(site: Site): Promise<Host> {
  const host = await site.lab.host('hub');
  await host.ip('link add br0 type bridge');
  await host.ip('link set br0 up');
  await addAddresses([host, 'br0', `${HUB_ADDRESS}/24`]);
  return host;
}

async function openNode(site: Site, hub: HubSite, number: number): Promise<Node> {
  const machine = await Machine.create(site.lab, `node${number}`);
  await site.lab.cable([machine.host, 'eth0'], [hub.host, `port${number}`]);
  await hub.host.ip(`link set port${number} master br0`);
  await addAddresses([machine.host, 'eth0', `203.0.113.${20 + number}/24`]);
  const state = `${site.lab.folder}/node-${number}`;
  const invitation = (await hub.ask('invite')).trim();
  await machine.run(WIRETYPE, ['mesh', 'join', invitation, '--name', `node-${number}`, '--enrol', '--state', state]);
  const agent = machine.start(WIRETYPE, ['mesh', 'agent', '--state', state]);
  await agent.says(/connected to the hub/);
  return { machine, agent, state };
}

async function waitForDirectPath({ machine, state }: Node, name: string): Promise<void> {
  await waitFor(`a direct path to ${name}`, async () => {
    await machine.attempt('ping', ['-c', '1', '-W', '1', `${name}.home.internal`]);
    const { peers } = JSON.parse(await machine.run(WIRETYPE, ['mesh', 'status', '--json', '--state', state]));
    return peers.some((peer: { name: string; path: string }) => peer.name === name && peer.path === 'direct');
  });
}

async function look({ machine, agent }: Node, { hub }: HubSite) {
  const text = await machine.run('nft', ['list', 'counter', 'inet', 'idle', 'datagrams']);
  return {
    datagrams: Number(/packets (\d+)/.exec(text)![1]),
    main: mainThreadWakeUps(agent),
    all: wakeUps(agent),
    hub: mainThreadWakeUps(hub),
  };
}
