import type { RouteFailure } from '../rules/route-error.js';

/** Why a connection or a request of a client was refused. */
export const REFUSALS = [
  'blocked',
  'invalid-host',
  'name-not-found',
  'refused',
  'network-unreachable',
  'host-unreachable',
  'timed-out',
  'reset',
  'failed',
  'malformed',
  'unsupported',
  'credentials',
  'silent',
  'limit',
  'evicted',
] as const satisfies readonly (RouteFailure | string)[];

export type Refusal = (typeof REFUSALS)[number];

/** Why a datagram of a UDP association was dropped. */
export const DATAGRAM_DROPS = ['malformed', 'fragment', 'foreign', 'blocked', 'unresolved', 'full'] as const;

export type DatagramDrop = (typeof DATAGRAM_DROPS)[number];

/** Counts what a proxy does, for metrics. A reload keeps the figures. */
export class ProxyCounters {
  /** Connections of clients. */
  accepted = 0;
  /** Connections of clients that are open. */
  active = 0;
  /** Requests: a SOCKS connection makes one, an HTTP connection any number. */
  readonly requests = { socks4: 0, socks5: 0, http: 0 };
  /** Payload from clients. */
  sentBytes = 0;
  /** Payload to clients. */
  receivedBytes = 0;
  readonly refused: Record<Refusal, number> = zeros(REFUSALS);
  /** Responses of web servers that break the rules of HTTP. */
  malformedResponses = 0;
  /** Connections to a port opened by BIND from a host that was not announced. */
  foreignBinds = 0;
  readonly datagrams = { sent: 0, received: 0, flows: 0, dropped: zeros(DATAGRAM_DROPS) };
}

function zeros<Name extends string>(names: readonly Name[]): Record<Name, number> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>;
}
