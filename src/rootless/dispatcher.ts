import type { Duplex } from 'node:stream';

import { checkPort } from './connect-options.js';
import { overTls } from './tunnel-agent.js';
import type { TunnelSocket } from './tunnel-socket.js';

/** Where undici keeps its agent: up to version 7, and from version 8 on, which keeps a wrapper for the others at the first. */
const DISPATCHER_1 = Symbol.for('undici.globalDispatcher.1');
const DISPATCHER_2 = Symbol.for('undici.globalDispatcher.2');

/** The options that undici hands to a connector. */
interface ConnectorOptions {
  readonly hostname: string;
  readonly protocol: string;
  readonly port: string;
  readonly servername?: string;
}

type ConnectorCallback = (error: Error | null, socket: Duplex | null) => void;
type Connector = (options: ConnectorOptions, callback: ConnectorCallback) => void;
type AgentClass = new (options: { connect: Connector; allowH2: boolean }) => object;
type WrapperClass = new (agent: object) => object;

/**
 * Makes a dispatcher for `fetch` and undici whose connections go through the tunnel.
 *
 * The classes are those of the undici that Node brings along: any undici takes them, and none has to be installed.
 */
export function createDispatcher(connect: (options: { host: string; port: number }) => TunnelSocket): object {
  const { Agent, Wrapper } = builtInClasses();
  const agent = new Agent({
    allowH2: false,
    connect: (options, callback) => {
      try {
        open(connect, options, callback);
      } catch (error) {
        callback(error as Error, null);
      }
    },
  });
  return Wrapper === undefined ? agent : new Wrapper(agent);
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

/**
 * Node loads its undici at the first `fetch`; one of a data URL touches no network.
 *
 * @throws {TypeError} A program has set a global dispatcher of another kind before.
 */
function builtInClasses(): { readonly Agent: AgentClass; readonly Wrapper: WrapperClass | undefined } {
  const globals = globalThis as unknown as Record<symbol, object | undefined>;
  if (globals[DISPATCHER_1] === undefined) void fetch('data:,').catch(() => {});
  const [first, second] = [classOf(globals[DISPATCHER_1]), classOf(globals[DISPATCHER_2])];
  if (first?.name === 'Agent') return { Agent: first as AgentClass, Wrapper: undefined };
  if (first?.name === 'Dispatcher1Wrapper' && second?.name === 'Agent') {
    return { Agent: second as AgentClass, Wrapper: first as WrapperClass };
  }
  throw new TypeError('the global dispatcher is not an Agent: read tunnel.dispatcher once before you replace it');
}

function classOf(value: object | undefined): (new (...args: never[]) => object) | undefined {
  return value?.constructor as ReturnType<typeof classOf>;
}
