import { isIP } from 'node:net';

import type { StreamTraffic } from '../../rootless/join-streams.js';
import type { Destination, Exit, ExitStream, ExitUdpPort } from '../exit.js';
import type { Forward, ListenAddress } from '../proxy-config.js';
import type { Route, Router } from '../rules/router.js';
import { listenOn } from '../server/listen-on.js';
import { connectToPath } from './connect-to-path.js';
import { DatagramForward } from './datagram-forward.js';
import { type ForwardServer, StreamForward } from './stream-forward.js';

const CONNECT_TIMEOUT_MS = 130_000;
const ALL_ADDRESSES = ['0.0.0.0', '::'];

/** The ways that forwards go. A reload replaces them. */
export interface ForwardWays {
  readonly router: Router;
  readonly direct: Exit;
  /** @param name Absent: the first one. */
  tunnel(name: string | undefined): Exit;
}

/** The present work of a forward; read anew for each connection and flow. */
export interface ForwardState {
  forward: Forward;
  ways: ForwardWays;
  /** Called if a connection or flow does not come about. */
  readonly onFailure: (forward: Forward, error: Error) => void;
  readonly traffic?: StreamTraffic;
}

/** A forward that listens. */
export interface OpenForward {
  /** The port where it listens. */
  readonly port: number;
  /** Takes nothing new; open connections live on, flows of datagrams end. */
  close(): void;
  /** Ends everything. */
  destroy(): void;
  /** Reads the state again. */
  refresh(): void;
}

/** Opens a forward. @throws The system's errors, if it cannot listen. */
export async function openForward(state: ForwardState): Promise<OpenForward> {
  const onFailure = (error: Error): void => state.onFailure(state.forward, error);
  if (state.forward.protocol === 'tcp') {
    const { traffic } = state;
    const stream = await StreamForward.open({
      listen: (onConnection) => listen(state, onConnection),
      connect: (signal) => connect(state, AbortSignal.any([signal, AbortSignal.timeout(CONNECT_TIMEOUT_MS)])),
      onFailure,
      ...(traffic !== undefined && { traffic }),
    });
    return { port: stream.server.port, close: () => stream.close(), destroy: () => stream.destroy(), refresh() {} };
  }
  const datagrams = await DatagramForward.open({
    open: () => openPorts(state),
    openFlow: () => openFlow(state),
    onFailure,
  });
  const refresh = (): void => datagrams.setIdleSeconds(state.forward.idleSeconds);
  refresh();
  const close = (): void => datagrams.close();
  return { port: datagrams.ports[0]!.port, close, destroy: close, refresh };
}

async function listen(
  { forward: { direction, from, tunnel }, ways }: ForwardState,
  onConnection: (stream: ExitStream) => void,
): Promise<ForwardServer> {
  if (direction === 'local') {
    const { at, close } = await listenOn(from, onConnection);
    return { port: 'path' in at ? 0 : at.port, close };
  }
  return await ways.tunnel(tunnel).listen(onAllAddresses(placeOf(from)), onConnection);
}

async function connect({ forward, ways }: ForwardState, signal: AbortSignal): Promise<ExitStream> {
  const { direction, to, tunnel } = forward;
  if ('path' in to) return await connectToPath(to.path, signal);
  if (direction === 'remote') return await ways.router.dial({ exit: ways.direct, to }, signal);
  if (tunnel === undefined) return await ways.router.connect(to, signal);
  return await ways.router.dial({ exit: ways.tunnel(tunnel), to }, signal);
}

async function openPorts({ forward, ways }: ForwardState): Promise<readonly ExitUdpPort[]> {
  const { direction, tunnel } = forward;
  const from = placeOf(forward.from);
  if (direction === 'local') return [await ways.direct.openUdp(from)];
  const exit = ways.tunnel(tunnel);
  if (from.host !== '') return [await exit.openUdp(from)];
  const opened = await Promise.allSettled(ALL_ADDRESSES.map((host) => exit.openUdp({ ...from, host })));
  const ports = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  if (ports.length > 0) return ports;
  throw (opened[0] as PromiseRejectedResult).reason;
}

async function openFlow(state: ForwardState): Promise<{ readonly port: ExitUdpPort; readonly to: Destination }> {
  const signal = AbortSignal.timeout(CONNECT_TIMEOUT_MS);
  const { exit, to } = await routeFlow(state, signal);
  const addresses = to.addresses ?? (isIP(to.host) === 0 ? await exit.lookup(to.host, signal) : undefined);
  const host = addresses === undefined ? to.host : addresses[0]!.address;
  const port = await exit.openUdp({ host: isIP(host) === 6 ? '::' : '0.0.0.0', port: 0 });
  return { port, to: { host, port: to.port } };
}

async function routeFlow({ forward, ways }: ForwardState, signal: AbortSignal): Promise<Route> {
  const to = placeOf(forward.to);
  if (forward.direction === 'remote') return { exit: ways.direct, to };
  return forward.tunnel === undefined ? await ways.router.route(to, signal) : { exit: ways.tunnel(forward.tunnel), to };
}

function onAllAddresses(at: Destination): Destination {
  return at.host === '' ? { ...at, host: '::' } : at;
}

/** Datagrams, and connections inside of a tunnel, go between ports; the configuration was checked for that. */
function placeOf(place: ListenAddress): Destination {
  if ('path' in place) throw new TypeError(`${place.path} is no port`);
  return place;
}
