import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import { formatExposition } from '../../../src/cli/device/exposition-text.js';
import { proxyMetrics } from '../../../src/cli/proxy/proxy-metrics.js';
import { ProxyCounters } from '../../../src/proxy/server/proxy-counters.js';

describe('the metrics of a proxy', () => {
  const counters = new ProxyCounters();
  Object.assign(counters, { accepted: 7, active: 2, sentBytes: 10, receivedBytes: 20 });
  counters.requests.socks5 = 5;
  counters.refused.blocked = 1;
  const hits = [
    { text: '*.a "b"', way: { kind: 'direct' }, connections: 3 },
    { text: '*', way: { kind: 'tunnel', tunnel: 'home' }, connections: 4 },
  ] as const;
  const health = { ready: false, checkAlive: {}, peers: [] };
  const metrics = proxyMetrics(counters, hits, { home: health });
  const text = formatExposition(metrics);

  it('are written for Prometheus, with labels', () => {
    for (const line of [
      'wiretype_proxy_connections_total 7',
      'wiretype_proxy_connections_active 2',
      'wiretype_proxy_requests_total{protocol="socks5"} 5',
      'wiretype_proxy_refused_total{reason="blocked"} 1',
      'wiretype_proxy_sent_bytes_total 10',
      'wiretype_proxy_received_bytes_total 20',
      'wiretype_proxy_rule_connections_total{rule="*.a \\"b\\"",way="direct"} 3',
      'wiretype_proxy_rule_connections_total{rule="*",way="home"} 4',
      'wiretype_proxy_tunnel_ready{interface="home"} 0',
    ])
      assert.ok(text.split('\n').includes(line), line);
  });

  it('are all in docs/proxy.md', () => {
    const page = readFileSync('docs/proxy.md', 'utf8');
    const names = metrics.map(({ name }) => name);
    for (const name of names) assert.ok(page.includes(`\`${name}\``), name);
  });
});
