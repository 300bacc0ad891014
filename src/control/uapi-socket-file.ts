import {
  chmodSync,
  type FSWatcher,
  mkdirSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  unwatchFile,
  watch,
  watchFile,
} from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { WireGuardError } from '../core/errors.js';
import { isSystemError } from './system-error.js';

/** The directory where WireGuard tools look for sockets of userspace implementations. */
export const SOCKET_DIRECTORY = '/var/run/wireguard';
const DIRECTORY_MODE = 0o755;
/** Denies access to other users from the first moment on. */
const SOCKET_UMASK = 0o177;
const OTHERS_WRITE = 0o002;
const GROUP_WRITES = 0o020;

/** Polling is used only where the system has no inotify watch left. */
const POLL_INTERVAL_MS = 5_000;

export function uapiSocketPath(interfaceName: string): string {
  return join(SOCKET_DIRECTORY, `${interfaceName}.sock`);
}

export interface UapiSocketFileEvents {
  /** The connection was opened with `allowHalfOpen`. */
  onConnection(socket: Socket): void;
  /** The file was deleted or replaced: by convention the daemon ends. Called once. */
  onRemoved(): void;
}

/**
 * The control socket of a daemon, as a file.
 *
 * The socket is made under another name, with a umask that denies access to others, and is then renamed to its place:
 * the file is never open to others, and never without a listener. The rename also replaces the file of a dead daemon.
 */
export class UapiSocketFile {
  readonly path: string;
  readonly #server: Server;
  readonly #events: UapiSocketFileEvents;
  #watcher: FSWatcher | undefined;
  /** The file that we made; `undefined` once the file is no longer ours. */
  #ours: Stats | undefined;

  /** @param ours The file, if there is one. */
  private constructor(path: string, server: Server, events: UapiSocketFileEvents, ours: Stats | undefined) {
    this.path = path;
    this.#server = server;
    this.#events = events;
    this.#ours = ours;
    if (ours === undefined) return;
    this.#watch();
    setImmediate(() => this.#check()); // the file may be gone before the watch began
  }

  /**
   * @throws {WireGuardError} ERR_DAEMON_RUNNING when another process answers on `path`, ERR_CONTROL_SOCKET
   *   when the file cannot be made.
   */
  static async create(path: string, events: UapiSocketFileEvents): Promise<UapiSocketFile> {
    await refuseLiveSocket(path);
    const draft = join(dirname(path), `.${basename(path)}.${process.pid}`);
    let server: Server | undefined;
    try {
      makeDirectory(dirname(path));
      rmSync(draft, { force: true });
      server = await listen({ path: draft }, events);
      const ours = statSync(draft);
      renameSync(draft, path);
      return new UapiSocketFile(path, server, events, ours);
    } catch (error) {
      server?.close();
      rmSync(draft, { force: true });
      throw socketError(path, error);
    }
  }

  /** Takes over a listening Unix socket that a parent process opened (`WG_UAPI_FD`). @throws {WireGuardError} ERR_CONTROL_SOCKET */
  static async adopt(fd: number, path: string, events: UapiSocketFileEvents): Promise<UapiSocketFile> {
    let server: Server | undefined;
    try {
      server = await listen({ fd }, events);
      if (isNetworkSocket(server)) throw new Error('it is a socket of the network, not a Unix socket');
      return new UapiSocketFile(path, server, events, statSync(path, { throwIfNoEntry: false }));
    } catch (error) {
      server?.close();
      throw socketError(`from file descriptor ${fd}`, error);
    }
  }

  /** Stops listening and removes the file, if it is still ours. */
  close(): void {
    this.#unwatch();
    this.#server.close();
    if (this.#isThere()) rmSync(this.path, { force: true });
    this.#ours = undefined;
  }

  #isThere(): boolean {
    try {
      const file = statSync(this.path, { throwIfNoEntry: false });
      return file !== undefined && file.ino === this.#ours?.ino && file.dev === this.#ours.dev;
    } catch (error) {
      if (hasCode(error, 'ELOOP', 'ENOTDIR')) return false; // the path now leads elsewhere
      if (isSystemError(error)) return true; // cannot be determined for now
      throw error;
    }
  }

  #watch(): void {
    const check = () => this.#check();
    try {
      this.#watcher = watch(dirname(this.path), check);
      this.#watcher.on('error', check);
    } catch (error) {
      if (!isSystemError(error)) throw error;
      watchFile(this.path, { interval: POLL_INTERVAL_MS }, check);
    }
  }

  #check(): void {
    if (this.#ours === undefined || this.#isThere()) return;
    this.#ours = undefined;
    this.#unwatch();
    this.#events.onRemoved();
  }

  #unwatch(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    unwatchFile(this.path);
  }
}

/** @throws {WireGuardError} ERR_DAEMON_RUNNING */
export async function refuseLiveSocket(path: string): Promise<void> {
  if (!(await isAnswered(path))) return;
  throw new WireGuardError('ERR_DAEMON_RUNNING', `another daemon answers on ${path}`);
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = connect(path);
    probe.on('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.on('error', (error) => {
      if (hasCode(error, 'ENOENT', 'ECONNREFUSED')) resolve(false);
      else if (hasCode(error, 'EAGAIN')) resolve(true);
      else reject(socketError(path, error));
    });
  });
}

function makeDirectory(directory: string): void {
  // The mode is set again because the umask takes bits away.
  if (mkdirSync(directory, { recursive: true }) !== undefined) chmodSync(directory, DIRECTORY_MODE);
  const { uid, gid, mode } = statSync(directory);
  if (uid !== 0 && uid !== process.geteuid?.()) throw new Error(`${directory} belongs to another user`);
  if ((mode & OTHERS_WRITE) !== 0 || (gid !== 0 && (mode & GROUP_WRITES) !== 0))
    throw new Error(`${directory} can be written to by other users`);
}

function listen(where: { path: string } | { fd: number }, events: UapiSocketFileEvents): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer({ allowHalfOpen: true }, (socket) => events.onConnection(socket));
    server.once('error', reject);
    const umask = process.umask(SOCKET_UMASK);
    try {
      server.listen(where, () => {
        server.off('error', reject);
        server.on('error', () => {}); // one client could not be accepted (such as EMFILE); the next client may be
        resolve(server);
      });
    } finally {
      process.umask(umask); // the file is made before `listen` returns
    }
  });
}

/** TCP sockets have an address and a port, Unix sockets a path or nothing. */
function isNetworkSocket(server: Server): boolean {
  const address = server.address();
  return typeof address === 'object' && address !== null;
}

function socketError(where: string, cause: unknown): unknown {
  if (cause instanceof WireGuardError || !(cause instanceof Error)) return cause;
  return new WireGuardError('ERR_CONTROL_SOCKET', `cannot make the control socket ${where}: ${cause.message}`, {
    cause,
  });
}

function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}
