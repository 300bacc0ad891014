import type { SocketConnectOpts, TcpSocketConnectOpts } from 'node:net';
import { WireGuardError } from '../core/errors.js';

export type ConnectOptions = TcpSocketConnectOpts & { host: string; port: number };

export interface ConnectCall {
  readonly options: ConnectOptions;
  readonly callback: (() => void) | undefined;
}

/** Reads the overloads of `net.Socket.connect`: (port, host?, callback?) and (options, callback?). */
export function normalizeConnectArgs(args: readonly unknown[]): ConnectCall {
  const flat = args.length === 1 && Array.isArray(args[0]) ? (args[0] as unknown[]) : args;
  const last = flat.at(-1);
  const callback = typeof last === 'function' ? (last as () => void) : undefined;
  const [first, second] = flat;
  if (typeof first === 'object' && first !== null) return { options: checked(first as SocketConnectOpts), callback };
  const host = typeof second === 'string' ? second : undefined;
  return { options: checked({ port: first as number, ...(host === undefined ? {} : { host }) }), callback };
}

/** There is no "this host" inside a tunnel to connect to by default, and no UNIX socket. */
function checked(options: SocketConnectOpts): ConnectOptions {
  if ('path' in options && options.path !== undefined)
    throw new WireGuardError('ERR_SOCKET_ARGUMENT', 'a socket of the tunnel has no path: connect to a host and a port');
  const { host } = options as TcpSocketConnectOpts;
  if (typeof host !== 'string' || host === '')
    throw new WireGuardError('ERR_SOCKET_ARGUMENT', 'the host to connect to is missing');
  return { ...(options as TcpSocketConnectOpts), host, port: checkPort((options as TcpSocketConnectOpts).port, 1) };
}

/** @throws {WireGuardError} ERR_SOCKET_ARGUMENT */
export function checkPort(port: unknown, least: number): number {
  const number = typeof port === 'string' && /^\d{1,5}$/.test(port) ? Number(port) : port;
  if (typeof number === 'number' && Number.isInteger(number) && number >= least && number <= 65_535) return number;
  throw new WireGuardError(
    'ERR_SOCKET_ARGUMENT',
    `a port is a whole number from ${least} to 65535, not ${String(port)}`,
  );
}
