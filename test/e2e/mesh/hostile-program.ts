/**
 * A node that abuses the control connection: it names a third party as its own address, asks for punches a thousand times a
 * second, and sends what is no message.
 *
 * usage: hostile-program.js THIRD_PARTY SECONDS < INVITATION
 *
 * Prints `flooding`, and `done` at the end.
 */
import { readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from 'ws';

import { join } from '../../../src/mesh/agent/join.js';
import { openRootlessAgent } from '../../../src/mesh/agent/open-agent.js';
import { parseInvitation } from '../../../src/mesh/records/invitation-text.js';

const [thirdParty, seconds] = process.argv.slice(2);
const state = await join(parseInvitation(readFileSync(0, 'utf8').trim()), 'hostile');
const { agent, host, close } = await openRootlessAgent({ state, save: async () => {}, addresses: state.addresses });
while (agent.map.entries.size === 0) await pause(25);
const others = [...agent.map.entries.keys()];

class TunnelAgent extends Agent {
  override createConnection(): Duplex {
    return host.connect({ host: state.hub.addresses[0]!, port: 80 });
  }
}

/** Connects as the agent does; the hub ends the agent's own connection for it. */
async function open(): Promise<WebSocket> {
  const socket = new WebSocket(`ws://${state.hub.addresses[0]}/mesh/control`, { agent: new TunnelAgent() });
  socket.on('error', () => {});
  await new Promise((resolve) => socket.once('open', resolve).once('close', resolve));
  return socket;
}

const candidates = (from: number, count: number) =>
  Array.from({ length: count }, (_, number) => ({ address: `${thirdParty}:${from + number}`, kind: 'mapped' }));
const wrong = ['{', '[]', JSON.stringify({ type: 'report', candidates: candidates(1, 10_000) }), 'x'.repeat(1_000_000)];
process.stdout.write('flooding\n');
const endMs = performance.now() + Number(seconds) * 1_000;
for (let round = 0, socket = await open(); performance.now() < endMs; round++) {
  if (socket.readyState !== WebSocket.OPEN) socket = await open();
  const report = {
    type: 'report',
    candidates: candidates(1_000 + ((round * 16) % 50_000), 16),
    mapping: 'easy',
    paths: {},
  };
  socket.send(JSON.stringify(report));
  for (let shot = 0; shot < 100; shot++)
    for (const node of others) socket.send(JSON.stringify({ type: 'punch', node, attempt: 0 }));
  if (round % 20 === 19) socket.send(wrong[(round / 20 - 0.95) % wrong.length]!);
  await pause(100);
}
process.stdout.write('done\n');
await close();
