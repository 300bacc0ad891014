import { constants } from 'node:os';
import type { CloseReason } from '../netstack/tcp/flow-event.js';

/** An error as Node's own sockets have it. */
export interface SocketError extends NodeJS.ErrnoException {
  address?: string;
  port?: number;
}

type SocketErrorCode =
  | 'ECONNREFUSED'
  | 'ECONNRESET'
  | 'ETIMEDOUT'
  | 'EHOSTUNREACH'
  | 'EADDRINUSE'
  | 'EADDRNOTAVAIL'
  | 'EPIPE'
  | 'EMSGSIZE'
  | 'ECONNABORTED';

/** Makes an error that reads as one of `net.Socket`: `connect ECONNREFUSED 10.0.0.1:80`. */
export function socketError(code: SocketErrorCode, syscall: string, address?: string, port?: number): SocketError {
  const end = address === undefined ? '' : ` ${address.includes(':') ? `[${address}]` : address}:${port}`;
  const error: SocketError = new Error(`${syscall} ${code}${end}`);
  error.code = code;
  error.errno = -(constants.errno[code] ?? 0);
  error.syscall = syscall;
  if (address !== undefined) error.address = address;
  if (port !== undefined) error.port = port;
  return error;
}

/** Returns the code for the end of a connection, or `undefined` for an ordinary one. */
export function codeOfReason(reason: CloseReason | undefined): SocketErrorCode | undefined {
  switch (reason) {
    case 'refused':
      return 'ECONNREFUSED';
    case 'reset':
      return 'ECONNRESET';
    case 'timed-out':
      return 'ETIMEDOUT';
    case 'unreachable':
      return 'EHOSTUNREACH';
    case 'aborted':
      return 'ECONNABORTED';
    default:
      return undefined;
  }
}
