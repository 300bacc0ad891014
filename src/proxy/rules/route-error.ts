import { isIP } from 'node:net';

import type { Destination, Exit } from '../exit.js';

/** Why a connection did not come about, for reply codes and counters. */
export type RouteFailure =
  | 'blocked'
  | 'invalid-host'
  | 'name-not-found'
  | 'refused'
  | 'network-unreachable'
  | 'host-unreachable'
  | 'timed-out'
  | 'reset'
  | 'failed';

/** A connection that did not come about. The message is one sentence for the client. */
export class RouteError extends Error {
  override readonly name = 'RouteError';
  readonly failure: RouteFailure;

  constructor(failure: RouteFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.failure = failure;
  }
}

const FAILURES: ReadonlyMap<unknown, RouteFailure> = new Map<unknown, RouteFailure>([
  ['ENOTFOUND', 'name-not-found'],
  ['ENODATA', 'name-not-found'],
  ['EAI_AGAIN', 'timed-out'],
  ['ECONNREFUSED', 'refused'],
  ['ECONNRESET', 'reset'],
  ['EPIPE', 'reset'],
  ['ENETUNREACH', 'network-unreachable'],
  ['EADDRNOTAVAIL', 'network-unreachable'],
  ['EHOSTUNREACH', 'host-unreachable'],
  ['EHOSTDOWN', 'host-unreachable'],
  ['ETIMEDOUT', 'timed-out'],
  ['ETIMEOUT', 'timed-out'],
]);

/** Translates an error of an exit. @param address The address that was tried, where it is known. */
export function routeError(error: unknown, to: Destination, exit: Exit, address?: string): RouteError {
  if (error instanceof RouteError) return error;
  const { code, syscall } = error as NodeJS.ErrnoException;
  const failure = FAILURES.get(code) ?? 'failed';
  const problem = syscall === 'getaddrinfo' ? lookupProblem(failure, to, exit, error as Error) : problemOf(failure, to);
  const isSilence = failure === 'timed-out' || failure === 'host-unreachable' || failure === 'network-unreachable';
  const clause = isSilence ? exit.explainSilence(address) : undefined;
  const reason = clause === undefined ? '' : `: ${clause}`;
  return new RouteError(failure, `${problem}${wayText(exit)}${reason}`, { cause: error });
}

/** Writes `HOST:PORT`. */
export function formatDestination({ host, port }: Destination): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}

function problemOf(failure: RouteFailure, to: Destination): string {
  const place = formatDestination(to);
  switch (failure) {
    case 'refused':
      return `${place} refused the connection`;
    case 'reset':
      return `${place} reset the connection`;
    case 'timed-out':
      return `${place} did not answer in time`;
    case 'network-unreachable':
    case 'host-unreachable':
      return `${place} cannot be reached`;
    default:
      return `the connection to ${place} failed`;
  }
}

function lookupProblem(failure: RouteFailure, { host }: Destination, exit: Exit, error: Error): string {
  // The error of a tunnel without DNS servers has its own sentence.
  if (!error.message.startsWith('getaddrinfo')) return `the name ${host} cannot be looked up (${error.message})`;
  const resolver = exit.name === 'direct' ? 'the resolver of this host' : 'the DNS servers of the tunnel';
  return failure === 'timed-out' ? `${resolver} did not answer for ${host}` : `the name ${host} was not found`;
}

function wayText({ name }: Exit): string {
  return name === 'direct' ? ' without a tunnel' : ` through the tunnel ${name}`;
}
