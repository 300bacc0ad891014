import { LIMIT } from '../contender.js';
import { tcp } from '../load/iperf.js';
import type { Measure } from '../measure.js';

/** A transfer before the one that counts, for what compiles code while it runs. */
const WARM_UP_SECONDS = 1;

/** Three hosts in a row: the one in the middle opens what comes from one tunnel, and seals it for the other. */
export const forwarding: Measure = {
  id: 'forwarding',
  quantities: [
    {
      id: 'forwarding',
      title: 'TCP through a host in the middle',
      unit: 'Gbit/s',
      digits: 2,
      goal: { than: LIMIT, atLeast: 1 },
    },
  ],
  suits: ({ kind, isPairOnly }) => kind !== 'cable' && isPairOnly !== true,
  async take(site, { seconds }) {
    const { left, right, rightAddress } = await site.chain();
    await tcp(left, right, rightAddress[4], { seconds: WARM_UP_SECONDS });
    return { forwarding: await tcp(left, right, rightAddress[4], { seconds }) };
  },
};
