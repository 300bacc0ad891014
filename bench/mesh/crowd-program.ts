/**
 * Many light agents in one process, beside a hub on the loopback.
 *
 * usage: crowd-program.js PREFIX < INVITATIONS   one for each host, a line each; hosts are PREFIX-0, PREFIX-1 …
 *
 * Each host joins, and its agent connects at once while others still join. Prints, with the time as UNIX_MS: `begins`, `joined` and
 * `connected` when all have or are, `gone` when all know of the first node that was revoked, and `back` when all are connected to a
 * hub that was restarted.
 */
import { createInterface } from 'node:readline';

import { join } from '../../src/mesh/agent/join.js';
import { type InvitationText, parseInvitation } from '../../src/mesh/records/invitation-text.js';
import { LightAgent } from './light-agent.js';
import { SharedMap } from './shared-map.js';

/** Hosts of one process that join at once. */
const LANES = 4;
const POLL_MS = 5;

const [, , prefix = 'host'] = process.argv;
const invitations: InvitationText[] = [];
for await (const line of createInterface(process.stdin)) {
  if (line === '') break;
  invitations.push(parseInvitation(line));
}
const known = new SharedMap(invitations[0]!);
const agents: LightAgent[] = [];
say('begins');
await Promise.all(Array.from({ length: LANES }, (_, lane) => joinEach(lane)));
say('joined');
await until(() => agents.every((agent) => agent.isConnected));
for (const agent of agents) agent.report();
say('connected');
await until(() => agents.every((agent) => agent.hasHeardOfEnd));
say('gone');
const staying = agents.filter((agent) => !agent.isRevoked);
for (const agent of staying) agent.connections = 0;
await until(() => staying.every((agent) => agent.isConnected && agent.connections > 0));
say('back');
await new Promise((resolve) => setTimeout(resolve, 2 ** 30));

async function joinEach(lane: number): Promise<void> {
  for (let number = lane; number < invitations.length; number += LANES)
    agents.push(await LightAgent.open(await join(invitations[number]!, `${prefix}-${number}`), known));
}

function say(word: string): void {
  process.stdout.write(`${word} ${Date.now()}\n`);
}

async function until(isDone: () => boolean): Promise<void> {
  while (!isDone()) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
}
