import { lstatSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, isIP, type Server, type Socket } from 'node:net';

import { isSystemError } from '../../control/system-error.js';
import { WireGuardError } from '../../core/errors.js';
import type { ListenAddress } from '../proxy-config.js';

/** Connections that the kernel keeps until they are accepted. */
const BACKLOG = 4_096;
/** A client that is gone is noticed after this time without a byte. */
const KEEPALIVE_MS = 300_000;
/** Denies access to other users from the first moment on. */
const SOCKET_UMASK = 0o177;

/** A place on this host that takes connections. */
export interface BoundListener {
  /** Has the port that was chosen in place of 0. */
  readonly at: ListenAddress;
  /** Takes no more connections. Open ones go on. */
  close(): void;
}

/**
 * Listens on a TCP port, or on a UNIX socket that only this user may open. The file of a program that has ended is replaced.
 *
 * Connections can be half closed.
 *
 * @throws {WireGuardError} ERR_LISTEN
 */
export async function listenOn(at: ListenAddress, onConnection: (socket: Socket) => void): Promise<BoundListener> {
  if ('path' in at) await removeStaleSocket(at.path);
  const options = { allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEPALIVE_MS };
  const server = createServer(options, onConnection);
  try {
    await listening(server, at);
  } catch (error) {
    throw listenRefused(at, error);
  }
  server.on('error', () => {}); // one connection could not be accepted, such as for lack of descriptors; the next one may be
  const bound = 'path' in at ? at : { host: at.host, port: (server.address() as AddressInfo).port };
  return { at: bound, close: () => void server.close() };
}

/** Writes a place for people. */
export function formatListenAddress(at: ListenAddress): string {
  if ('path' in at) return at.path;
  return isIP(at.host) === 6 ? `[${at.host}]:${at.port}` : `${at.host}:${at.port}`;
}

function listening(server: Server, at: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const done = (): void => {
      server.removeListener('error', reject);
      resolve();
    };
    if (!('path' in at)) {
      server.listen({ ...at, backlog: BACKLOG }, done);
      return;
    }
    const umask = process.umask(SOCKET_UMASK);
    try {
      server.listen({ path: at.path, backlog: BACKLOG }, done);
    } finally {
      process.umask(umask); // the file is made before `listen` returns
    }
  });
}

/** Removes the socket of a program that no longer answers. Any other file stays. */
async function removeStaleSocket(path: string): Promise<void> {
  const file = lstatSync(path, { throwIfNoEntry: false });
  if (file === undefined) return;
  if (!file.isSocket())
    throw new WireGuardError('ERR_LISTEN', `cannot listen on ${path}: there is a file that is no socket`);
  if (await isAnswered(path)) throw new WireGuardError('ERR_LISTEN', `cannot listen on ${path}: another program does`);
  rmSync(path, { force: true });
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.on('connect', () => {
      probe.destroy();
      resolve(true);
    });
    // Only a refusal proves that no program listens: a full queue, for example, belongs to one that does.
    probe.on('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT'),
    );
  });
}

/** Turns a refusal of the system into ERR_LISTEN, and leaves other errors as they are. */
export function listenRefused(at: ListenAddress, cause: unknown): unknown {
  if (!isSystemError(cause)) return cause;
  return new WireGuardError('ERR_LISTEN', `cannot listen on ${formatListenAddress(at)}: ${reasonOf(cause)}`, { cause });
}

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'EADDRINUSE':
      return 'another program does';
    case 'EACCES':
      return 'this user may not';
    case 'EADDRNOTAVAIL':
      return 'this host has no such address';
    case 'ENOTFOUND':
      return 'the name was not found';
    default:
      return message;
  }
}
