import { request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

import { generateKeyPair } from '../../test/lab/keys.js';
import { GATEWAY } from '../contender.js';
import { processorSeconds, residentMegabytes } from '../load/process-figures.js';
import type { Measure } from '../measure.js';
import { summarize } from '../statistics.js';
import { gatewaySite } from './gateway-site.js';

const LISTS = 11;
const VIEWERS = 20;
const WATCH_SECONDS = 10;
const AT_ONCE = 20;

/** Memory of a gateway that has just started, and what the page costs with many devices. */
export const pageMeasures: readonly Measure[] = [
  {
    id: 'gateway-rss',
    quantities: [
      {
        id: 'gateway-rss',
        title: 'RSS with page and store, idle',
        unit: 'MB',
        digits: 0,
        isMoreBetter: false,
        goal: { atMost: 130 },
      },
    ],
    per: 'run',
    suits: ({ title }) => title === GATEWAY,
    async take(site, { giveBackSeconds }) {
      // A gateway of its own: the other measures have filled the one that they share.
      const { carrier } = await gatewaySite(site.another());
      await pause(giveBackSeconds * 1_000);
      return { 'gateway-rss': residentMegabytes(carrier) };
    },
  },
  {
    id: 'gateway-page',
    quantities: [
      {
        id: 'gateway-list',
        title: 'list of 1,000 devices, server time',
        unit: 'ms',
        digits: 0,
        isMoreBetter: false,
        goal: { atMost: 100 },
      },
      {
        id: 'gateway-viewers',
        title: 'events to 20 viewers',
        unit: '% of a core',
        digits: 1,
        isMoreBetter: false,
        goal: { atMost: 3 },
      },
    ],
    per: 'run',
    suits: ({ title }) => title === GATEWAY,
    async take(site, { idlePeers }) {
      const { carrier, socketPath } = await gatewaySite(site.another());
      await addDevices(socketPath!, Math.min(1_000, idlePeers));
      const timesMs: number[] = [];
      for (let i = 0; i < LISTS; i++) {
        const beginMs = performance.now();
        await get(socketPath!, '/api/v1/devices');
        timesMs.push(performance.now() - beginMs);
      }
      const viewers = await Promise.all(Array.from({ length: VIEWERS }, () => watch(socketPath!)));
      await pause(1_000);
      const before = processorSeconds(carrier);
      await pause(WATCH_SECONDS * 1_000);
      const used = (processorSeconds(carrier) - before) / WATCH_SECONDS;
      for (const end of viewers) end();
      return { 'gateway-list': summarize(timesMs).median, 'gateway-viewers': used * 100 };
    },
  },
];

async function addDevices(socketPath: string, count: number): Promise<void> {
  await send(socketPath, 'PATCH', '/api/v1/settings', JSON.stringify({ subnet4: '10.200.0.0/20' })); // room for all
  for (let begin = 0; begin < count; begin += AT_ONCE)
    await Promise.all(
      Array.from({ length: Math.min(AT_ONCE, count - begin) }, (_, i) => {
        const body = JSON.stringify({ name: `device ${begin + i}`, publicKey: generateKeyPair().publicKey });
        return send(socketPath, 'POST', '/api/v1/devices', body);
      }),
    );
}

const get = (socketPath: string, path: string): Promise<void> => send(socketPath, 'GET', path);

function send(socketPath: string, method: string, path: string, body?: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    request({ socketPath, method, path, headers }, (response) => {
      response.resume().once('end', () => {
        if (response.statusCode! < 300) resolve();
        else reject(new Error(`${path}: ${response.statusCode}`));
      });
    })
      .once('error', reject)
      .end(body);
  });
}

/** Follows the events as a page does. @returns A function that ends it. */
function watch(socketPath: string): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const made = request({ socketPath, path: '/api/v1/events' }, (response) => {
      response.resume();
      resolve(() => made.destroy());
    });
    made.once('error', reject).end();
  });
}
