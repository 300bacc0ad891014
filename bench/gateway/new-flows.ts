import { fileURLToPath } from 'node:url';

import type { Measure } from '../measure.js';
import { gatewaySite, SERVER, ServerPort } from './gateway-site.js';

const CLIENT = fileURLToPath(new URL('../load/rootless-client.js', import.meta.url));
const MARGIN_MS = 60_000;
/** More at a time wait for each other, and get no faster. */
const PARALLEL = 200;

/** Short HTTP requests, each over a connection of its own: a flow is made, used and ended for each. */
export const newFlows: Measure = {
  id: 'gateway-flows',
  quantities: [
    {
      id: 'gateway-flows',
      title: 'new TCP flows, each with a request',
      unit: '1/s',
      digits: 0,
      goal: { atLeast: 3_000 },
    },
  ],
  suits: () => true,
  async take(site, { requests }) {
    const { client } = await gatewaySite(site);
    const words = [CLIENT, 'system', 'requests', SERVER, ...[ServerPort.Web, requests, PARALLEL].map(String)];
    const program = client.start(process.execPath, words);
    try {
      await program.says(/^\{.*\}$/m, MARGIN_MS);
      return { 'gateway-flows': JSON.parse(/^\{.*\}$/m.exec(program.stdout)![0]).perSecond };
    } finally {
      await program.stop();
    }
  },
};
