import { LIBRARY } from '../contender.js';
import type { Measure } from '../measure.js';
import { FAR_ADDRESS, FarPort, rootlessPair, startNode, startProxy, wayOf } from './rootless-pair.js';
import { processorTimeOf } from './throughput.js';

const MARGIN_MS = 60_000;

/** Short HTTP requests, each over a connection of its own, many at a time. */
export const requests: Measure = {
  id: 'rootless-requests',
  quantities: [
    { id: 'rootless-requests', title: 'HTTP requests, 1,000 at a time', unit: '1/s' },
    { id: 'rootless-request-p50', title: 'time of a request, median', unit: 'ms', digits: 0, isMoreBetter: false },
    {
      id: 'rootless-request-p99',
      title: 'time of a request, 99th percentile',
      unit: 'ms',
      digits: 0,
      isMoreBetter: false,
    },
    {
      id: 'rootless-request-cpu',
      title: 'CPU of a request: its end',
      unit: 'ms',
      digits: 2,
      isMoreBetter: false,
    },
  ],
  suits: () => true,
  async take(site, { requests: total, parallelRequests: parallel }) {
    const pair = await rootlessPair(site);
    const isProxied = pair.contender.title !== LIBRARY && pair.contender.kind !== 'wireguard';
    const proxy = isProxied ? await startProxy(pair) : undefined;
    const client = startNode(pair, wayOf(pair), [
      'requests',
      FAR_ADDRESS,
      ...[FarPort.Web, total, parallel].map(String),
    ]);
    const own = pair.nearDaemon === undefined ? [client] : [client, pair.nearDaemon];
    const carriers = proxy === undefined ? own : [proxy];
    try {
      await client.says(/^begin$/m);
      const beforeSeconds = processorTimeOf(carriers);
      await client.says(/^\{.*\}$/m, MARGIN_MS);
      const { perSecond, medianMs, slowMs } = JSON.parse(/^\{.*\}$/m.exec(client.stdout)![0]);
      return {
        'rootless-requests': perSecond,
        'rootless-request-p50': medianMs,
        'rootless-request-p99': slowMs,
        'rootless-request-cpu': ((processorTimeOf(carriers) - beforeSeconds) * 1_000) / total,
      };
    } finally {
      await client.stop();
      await proxy?.stop();
    }
  },
};
