import { readFileSync } from 'node:fs';
import { request } from 'node:http';

import { CHECKOUT } from '../../test/lab/implementation.js';
import type { Host } from '../../test/lab/namespace.js';
import { HUB } from '../contender.js';
import type { Measure } from '../measure.js';
import { openHub } from './hub-site.js';

const AGENTS = 300;
/** Those that connect before memory is looked at. */
const WARM = 50;
const PATIENCE_MS = 900_000;
/** Each agent knows all others, and all of them are in one process. */
const HEAP_LIMIT = '--max-old-space-size=12000';
const HEAP = `${CHECKOUT}dist/bench/mesh/heap-program.js`;
const PROGRAM = `${CHECKOUT}dist/bench/mesh/crowd-program.js`;

/** Real agents in one process beside a real hub: they enrol, connect, and one of them is revoked. */
export const crowd: Measure = {
  id: 'mesh-crowd',
  quantities: [
    { id: 'mesh-enrolment', title: 'enrolments', unit: '/s', digits: 0, goal: { atLeast: 50 } },
    {
      id: 'mesh-agent-memory',
      title: `memory of the hub per agent, of ${AGENTS}`,
      unit: 'KB',
      digits: 0,
      isMoreBetter: false,
      goal: { atMost: 30 },
    },
    {
      id: 'mesh-revocation',
      title: `revocation to the last of ${AGENTS} agents, with the command`,
      unit: 'ms',
      digits: 0,
      isMoreBetter: false,
      goal: { atMost: 1_000 },
    },
    {
      id: 'mesh-reconnect',
      title: `all of ${AGENTS} agents back at a hub that was restarted`,
      unit: 's',
      digits: 1,
      isMoreBetter: false,
      goal: { atMost: 60 },
    },
  ],
  per: 'run',
  suits: ({ title }) => title === HUB,
  async take(site, { idlePeers }) {
    const count = Math.min(AGENTS, idlePeers);
    const { host, ask, socketPath, restart } = await openHub(site, await site.lab.host('hub'), '127.0.0.1');
    const invitations: string[] = [];
    for (let number = 0; number < count; number++) invitations.push(await invite(socketPath));
    const agents = host.start(process.execPath, [HEAP_LIMIT, PROGRAM], { isInteractive: true });
    agents.write(`${invitations.join('\n')}\n\n`);
    await agents.says(/warm/, PATIENCE_MS);
    const before = await liveBytes(host);
    for (const pid of await host.processIds()) if (isCrowd(pid)) process.kill(pid, 'SIGUSR2');
    await agents.says(/connected/, PATIENCE_MS);
    const perAgent = ((await liveBytes(host)) - before) / 1_000 / Math.max(1, count - WARM);
    const startMs = Date.now();
    await ask('revoke', 'host-0');
    await agents.says(/gone \d+/);
    const restartedMs = Date.now();
    await restart();
    await agents.says(/back \d+/, PATIENCE_MS);
    const enrolSeconds = Number(/enrolled ([\d.]+)/.exec(agents.stdout)![1]);
    return {
      'mesh-enrolment': count / enrolSeconds,
      'mesh-agent-memory': perAgent,
      'mesh-revocation': Number(/gone (\d+)/.exec(agents.stdout)![1]) - startMs,
      'mesh-reconnect': (Number(/back (\d+)/.exec(agents.stdout)![1]) - restartedMs) / 1_000,
    };
  },
};

/** Bytes of the hub's heap and buffers that are in use, after its garbage was collected. */
async function liveBytes(host: Host): Promise<number> {
  const { heapUsed, external } = JSON.parse(await host.run(process.execPath, [HEAP]));
  return heapUsed + external;
}

function isCrowd(pid: number): boolean {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('crowd-program');
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
