/**
 * Many agents in one process, beside a hub on the loopback.
 *
 * usage: crowd-program.js < INVITATIONS   one for each host, a line each
 *
 * The first ones connect, and the others, if there are any, after SIGUSR2: what does not depend on their number is there before.
 *
 * Prints `enrolled SECONDS`, `warm`, `connected`, `back UNIX_MS` when all are connected to a hub that was restarted, and `begins UNIX_MS` and `gone UNIX_MS` when one agent and when no agent knows the first one any more.
 */
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { AgentEvent } from '../../src/mesh/agent/agent-options.js';
import { join } from '../../src/mesh/agent/join.js';
import type { MeshAgent } from '../../src/mesh/agent/mesh-agent.js';
import type { NodeState } from '../../src/mesh/agent/node-state.js';
import { openRootlessAgent } from '../../src/mesh/agent/open-agent.js';
import { type InvitationText, parseInvitation } from '../../src/mesh/records/invitation-text.js';

const LANES = 4;
const WARM = 50;

const lines = createInterface(process.stdin);
const invitations: InvitationText[] = [];
for await (const line of lines) {
  if (line === '') break;
  invitations.push(parseInvitation(line));
}
const count = invitations.length;
const states: NodeState[] = [];
const startMs = performance.now();
await Promise.all(
  Array.from({ length: LANES }, async (_, lane) => {
    for (let number = lane; number < count; number += LANES)
      states.push(await join(invitations[number]!, `host-${number}`));
  }),
);
process.stdout.write(`enrolled ${(performance.now() - startMs) / 1_000}\n`);

const save = async (): Promise<void> => {};
const first = states.find(({ name }) => name === 'host-0')!;
const agents: MeshAgent[] = [];
/** Ids of those that have connected, since the revocation in the end. */
const isAnew = new Set<string>();
for (const [index, state] of states.entries()) {
  if (index === WARM) await warmedUp();
  const onEvent = (event: AgentEvent): void => {
    if (event.kind === 'hub' && event.isConnected) isAnew.add(state.id);
  };
  agents.push((await openRootlessAgent({ state, save, addresses: state.addresses, onEvent })).agent);
}
if (count <= WARM) await warmedUp();
await until(() => agents.every((agent) => agent.isConnected && agent.map.entries.size === count - 1));
process.stdout.write('connected\n');
const others = agents.filter((agent) => agent.state.id !== first.id);
await until(() => others.some((agent) => !agent.map.entries.has(first.id)));
process.stdout.write(`begins ${Date.now()}\n`);
await until(() => others.every((agent) => !agent.map.entries.has(first.id)));
isAnew.clear();
process.stdout.write(`gone ${Date.now()}\n`);
await until(() => others.every((agent) => agent.isConnected && isAnew.has(agent.state.id)));
process.stdout.write(`back ${Date.now()}\n`);
await new Promise((resolve) => setTimeout(resolve, 2 ** 30));

async function warmedUp(): Promise<void> {
  await until(() => agents.every((agent) => agent.isConnected && agent.map.entries.size === count - 1));
  process.stdout.write('warm\n');
  await once(process, 'SIGUSR2');
}

async function until(isDone: () => boolean): Promise<void> {
  while (!isDone()) await new Promise((resolve) => setTimeout(resolve, 5));
}
