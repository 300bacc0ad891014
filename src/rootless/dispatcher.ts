import type { Duplex } from 'node:stream';

import { checkPort } from './connect-options.js';
import { overTls } from './tunnel-agent.js';
import type { TunnelSocket } from './tunnel-socket.js';

const GLOBAL_DISPATCHER = Symbol.for('undici.globalDispatcher.1');

/** The options that undici hands to a connector. */
interface ConnectorOptions {
  readonly hostname: string;
  readonly protocol: string;
  readonly port: string;
  readonly servername?: string;
}

type ConnectorCallback = (error: Error | null, socket: Duplex | null) => void;
type Connector = (options: ConnectorOptions, callback: ConnectorCallback) => void;
type DispatcherClass = new (options: { connect: Connector; allowH2?: boolean }) => object;

/**
 * Makes a dispatcher for `fetch` and undici whose connections go through the tunnel.
 *
 * The class is that of the undici which Node brings along: any undici takes it, and none has to be installed.
 */
export function createDispatcher(connect: (options: { host: string; port: number }) => TunnelSocket): object {
  const Agent = builtInAgent();
  return new Agent({
    connect: (options, callback) => {
      try {
        open(connect, options, callback);
      } catch (error) {
        callback(error as Error, null);
      }
    },
  });
}

function open(
  connect: (options: { host: string; port: number }) => TunnelSocket,
  { hostname, protocol, port, servername }: ConnectorOptions,
  callback: ConnectorCallback,
): void {
  const isSecure = protocol === 'https:';
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const socket = connect({ host, port: checkPort(port === '' ? (isSecure ? 443 : 80) : port, 1) });
  const stream = isSecure ? overTls(socket, { servername: servername ?? host, ALPNProtocols: ['http/1.1'] }) : socket;
  const isReady = isSecure ? 'secureConnect' : 'connect';
  const fail = (error: Error): void => callback(error, null);
  stream.once('error', fail);
  stream.once(isReady, () => {
    stream.removeListener('error', fail);
    callback(null, stream);
  });
}

/** Node loads its undici at the first `fetch`; one of a data URL touches no network. */
function builtInAgent(): DispatcherClass {
  const globals = globalThis as unknown as Record<symbol, object | undefined>;
  if (globals[GLOBAL_DISPATCHER] === undefined) void fetch('data:,').catch(() => {});
  return globals[GLOBAL_DISPATCHER]!.constructor as DispatcherClass;
}
