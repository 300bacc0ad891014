import { LIMIT } from '../contender.js';
import { tcp } from '../load/iperf.js';
import type { Goal, Measure } from '../measure.js';
import type { Family } from '../site.js';

interface TcpVariant {
  readonly id: string;
  readonly title: string;
  readonly streams?: number;
  readonly isReverse?: boolean;
  readonly inner?: Family;
  readonly outer?: Family;
  readonly goal?: Goal;
}

const AS_LIMIT: Goal = { than: LIMIT, atLeast: 1 };
const NEAR_IPV4: Goal = { thanOwn: 'tcp-1', atLeast: 0.9 };

/** Throughput of TCP, by direction, number of streams and IP family inside and outside. */
export const tcpMeasures: readonly Measure[] = [
  measure({ id: 'tcp-1', title: 'TCP, one stream', goal: AS_LIMIT }),
  measure({ id: 'tcp-4', title: 'TCP, four streams', streams: 4, goal: AS_LIMIT }),
  measure({ id: 'tcp-reverse', title: 'TCP, one stream back', isReverse: true, goal: AS_LIMIT }),
  measure({ id: 'tcp-inner6', title: 'TCP, IPv6 inside', inner: 6, goal: NEAR_IPV4 }),
  measure({ id: 'tcp-outer6', title: 'TCP, IPv6 outside', outer: 6, goal: NEAR_IPV4 }),
  measure({ id: 'tcp-both6', title: 'TCP, IPv6 inside and outside', inner: 6, outer: 6, goal: NEAR_IPV4 }),
];

function measure(variant: TcpVariant): Measure {
  const { id, title, inner = 4, outer = 4, goal, ...streams } = variant;
  return {
    id,
    quantities: [{ id, title, unit: 'Gbit/s', digits: 2, ...(goal && { goal }) }],
    suits: ({ kind, isPairOnly }) => (kind !== 'cable' || outer === 4) && (isPairOnly !== true || inner + outer === 8),
    async take(site, { seconds }) {
      const { left, right, rightAddress } = await site.pair(outer);
      return { [id]: await tcp(left, right, rightAddress[inner], { seconds, ...streams }) };
    },
  };
}
