import type { RuleHits } from '../../proxy/rules/router.js';
import type { ProxyCounters } from '../../proxy/server/proxy-counters.js';
import type { TunnelHealth } from '../../proxy/tunnels/tunnel-health.js';
import type { Metric, MetricSample } from '../device/exposition-text.js';

/** Turns the counters of a proxy into metrics. */
export function proxyMetrics(
  counters: ProxyCounters,
  hits: readonly RuleHits[],
  healths: Readonly<Record<string, TunnelHealth>>,
): Metric[] {
  const { accepted, active, requests, sentBytes, receivedBytes, refused, datagrams } = counters;
  return [
    gauge('tunnel_ready', '1 if the tunnel is ready, as /readyz says.', labelled('interface', readyOf(healths))),
    counter('connections_total', 'Connections of programs to the proxy.', one(accepted)),
    gauge('connections_active', 'Connections of programs that are open.', one(active)),
    counter('requests_total', 'Requests, by protocol.', labelled('protocol', requests)),
    counter('refused_total', 'Requests and connections that were refused, by reason.', labelled('reason', refused)),
    counter('sent_bytes_total', 'Payload from programs.', one(sentBytes)),
    counter('received_bytes_total', 'Payload to programs.', one(receivedBytes)),
    counter('rule_connections_total', 'Connections that a rule decided; "*" is no rule.', hits.map(ruleSample)),
    counter('datagrams_sent_total', 'Datagrams from programs.', one(datagrams.sent)),
    counter('datagrams_received_total', 'Datagrams to programs.', one(datagrams.received)),
    counter('datagrams_dropped_total', 'Datagrams dropped, by reason.', labelled('reason', datagrams.dropped)),
  ];
}

function counter(name: string, help: string, samples: readonly MetricSample[]): Metric {
  return { name: `wiretype_proxy_${name}`, help, type: 'counter', samples };
}

function gauge(name: string, help: string, samples: readonly MetricSample[]): Metric {
  return { name: `wiretype_proxy_${name}`, help, type: 'gauge', samples };
}

function one(value: number): MetricSample[] {
  return [{ labels: {}, value }];
}

function labelled(label: string, values: Readonly<Record<string, number>>): MetricSample[] {
  return Object.entries(values).map(([name, value]) => ({ labels: { [label]: name }, value }));
}

function ruleSample({ text, way, connections }: RuleHits): MetricSample {
  return { labels: { rule: text, way: way.kind === 'tunnel' ? way.tunnel : way.kind }, value: connections };
}

function readyOf(healths: Readonly<Record<string, TunnelHealth>>): Record<string, number> {
  return Object.fromEntries(Object.entries(healths).map(([name, { ready }]) => [name, Number(ready)]));
}
