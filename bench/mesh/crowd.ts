import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import { CHECKOUT } from '../../test/lab/implementation.js';
import type { Host } from '../../test/lab/namespace.js';
import type { Program } from '../../test/lab/program.js';
import { HUB } from '../contender.js';
import { processorSeconds } from '../load/process-figures.js';
import type { Measure, Quantity } from '../measure.js';
import { openHub } from './hub-site.js';

const AGENTS = 1_000;
const PATIENCE_MS = 900_000;
const HEAP = `${CHECKOUT}dist/bench/mesh/heap-program.js`;
const PROGRAM = `${CHECKOUT}dist/bench/mesh/crowd-program.js`;

const less = (id: string, title: string, unit: string, digits: number, atMost?: number): Quantity => ({
  id,
  title,
  unit,
  digits,
  isMoreBetter: false,
  ...(atMost === undefined ? {} : { goal: { atMost } }),
});

/**
 * A thousand agents with sessions and control connections of their own, beside a hub: they join, stay, hear of a revocation, and come
 * back to a hub that was restarted.
 */
export const crowd: Measure = {
  id: 'mesh-crowd',
  quantities: [
    {
      id: 'mesh-enrolment',
      title: `enrolments of ${AGENTS} hosts, which connect at once`,
      unit: '/s',
      digits: 0,
      goal: { atLeast: 50 },
    },
    less('mesh-enrolment-cpu', 'processor time of the hub per enrolment', 'ms', 1, 20),
    less('mesh-agent-memory', `memory of the hub per agent, of ${AGENTS}`, 'KB', 1, 30),
    less('mesh-idle-crowd', `processor time of the hub of ${AGENTS} idle agents`, '% of a core', 1),
    less('mesh-revocation', `revocation to the last of ${AGENTS} agents, with the command`, 'ms', 0, 1_000),
    less('mesh-reconnect', `all of ${AGENTS} agents back at a hub that was restarted`, 's', 1, 60),
  ],
  per: 'run',
  suits: ({ title }) => title === HUB,
  async take(site, { idlePeers, idleSeconds }) {
    const count = Math.min(AGENTS, idlePeers);
    const { host, hub, ask, socketPath, restart } = await openHub(site, await site.lab.host('hub'), '127.0.0.1');
    const start = async (name: string, size: number): Promise<Program> => {
      const invitations: string[] = [];
      for (let number = 0; number < size; number++) invitations.push(await invite(socketPath));
      const program = host.start(process.execPath, [PROGRAM, name], { isInteractive: true });
      program.write(`${invitations.join('\n')}\n`);
      return program;
    };
    const [warm, half] = [Math.ceil(count / 10), Math.floor((count * 9) / 20)];
    const first = await start('first', warm);
    first.write('\n');
    await first.says(/connected/, PATIENCE_MS);
    const emptyBytes = await liveBytes(host);
    const others = [await start('left', half), await start('right', half)];
    const beforeSeconds = processorSeconds(hub);
    for (const program of others) program.write('\n');
    const joinedMs = (await all(others, 'joined')) - Math.min(...(await each(others, 'begins')));
    await all(others, 'connected');
    const perEnrolment = (processorSeconds(hub) - beforeSeconds) / (2 * half);
    const perAgent = ((await liveBytes(host)) - emptyBytes) / (2 * half);
    const idleFrom = processorSeconds(hub);
    await sleep(idleSeconds * 1_000);
    const idle = processorSeconds(hub) - idleFrom;
    const startMs = Date.now();
    await ask('revoke', 'first-0');
    const goneMs = await all([first, ...others], 'gone');
    const restartedMs = Date.now();
    await restart();
    const backMs = await all([first, ...others], 'back');
    return {
      'mesh-enrolment': (2 * half * 1_000) / joinedMs,
      'mesh-enrolment-cpu': perEnrolment * 1_000,
      'mesh-agent-memory': perAgent / 1_000,
      'mesh-idle-crowd': (100 * idle) / idleSeconds,
      'mesh-revocation': goneMs - startMs,
      'mesh-reconnect': (backMs - restartedMs) / 1_000,
    };
  },
};

/** Waits until all programs have said a word. @returns When the last one did. */
async function all(programs: readonly Program[], word: string): Promise<number> {
  return Math.max(...(await each(programs, word)));
}

async function each(programs: readonly Program[], word: string): Promise<number[]> {
  const pattern = new RegExp(`${word} (\\d+)\n`);
  await Promise.all(programs.map((program) => program.says(pattern, PATIENCE_MS)));
  return programs.map(({ stdout }) => Number(pattern.exec(stdout)![1]));
}

/** Bytes of the hub's heap and buffers that are in use, after its garbage was collected. */
async function liveBytes(host: Host): Promise<number> {
  const { heapUsed, external } = JSON.parse(await host.run(process.execPath, [HEAP]));
  return heapUsed + external;
}

function invite(socketPath: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { host: 'localhost', 'content-type': 'application/json' };
    request({ socketPath, method: 'POST', path: '/api/v1/mesh/invitations', headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.once('end', () => resolve(JSON.parse(text).text));
    })
      .once('error', reject)
      .end('{}');
  });
}
