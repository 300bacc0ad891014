import { SLIRP } from '../contender.js';
import { tcp } from '../load/iperf.js';
import { processorSeconds } from '../load/process-figures.js';
import type { Goal, Measure } from '../measure.js';
import { gatewaySite, SERVER } from './gateway-site.js';

/** One stream of TCP from a client to a server beyond, and back, with the processor time of whatever carries it. */
export const transfers: readonly Measure[] = [
  transfer('gateway-up', 'TCP up, one stream', false, [{ atLeast: 1 }, { than: SLIRP, atLeast: 2 }]),
  transfer('gateway-down', 'TCP down, one stream', true, [{ atLeast: 1 }, { than: SLIRP, atLeast: 2 }]),
];

function transfer(id: string, title: string, isReverse: boolean, [goal, compared]: [Goal, Goal]): Measure {
  return {
    id,
    quantities: [
      { id, title, unit: 'Gbit/s', digits: 2, goal },
      { id: `${id}-again`, title: `${title}, compared`, unit: 'Gbit/s', digits: 2, goal: compared },
      { id: `${id}-cpu`, title: `${title}: its work`, unit: 'CPU s per Gbit', digits: 2, isMoreBetter: false },
    ],
    suits: () => true,
    async take(site, { seconds }) {
      const { client, server, carrier } = await gatewaySite(site);
      await tcp(client, server, SERVER, { seconds: 1, isReverse }); // code is compiled and windows grow meanwhile
      const before = processorSeconds(carrier);
      const gigabits = await tcp(client, server, SERVER, { seconds, isReverse });
      const cpu = (processorSeconds(carrier) - before) / (gigabits * Math.max(seconds, 1));
      return { [id]: gigabits, [`${id}-again`]: gigabits, [`${id}-cpu`]: cpu };
    },
  };
}
