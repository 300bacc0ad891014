import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { WireGuardError } from '../core/errors.js';
import type { DeviceControl } from './device-control.js';
import { isSystemError } from './system-error.js';
import { UapiConnection, type UapiConnectionLimits } from './uapi-connection.js';
import { Errno, errnoOf, type UapiRefusal } from './uapi-errno.js';
import { formatExplanation } from './uapi-explain-text.js';
import { formatGet } from './uapi-get-text.js';
import { type UapiRequest, UapiRequestReader } from './uapi-request.js';
import { SystemZoneNames, type ZoneNames } from './zone-names.js';

/** Beyond this number, a new connection replaces the connection that has been silent longest. */
const MAX_CONNECTIONS = 256;

export interface UapiServerOptions {
  /** A request was refused: for the log. Never called for a connection that sends nothing. */
  readonly onRefused?: (operation: 'get' | 'set', refusal: UapiRefusal) => void;
  /** The system failed while a connection was served: for the log. Other connections go on. */
  readonly onFailed?: (error: Error) => void;
  readonly readZones?: () => ZoneNames;
  readonly limits?: UapiConnectionLimits;
}

/**
 * A server of the configuration protocol on accepted stream sockets.
 *
 * Each connection carries any number of requests, which are answered in order; the queue of the `DeviceControl` keeps a
 * `set` out of the middle of a `get`. A long answer gives the event loop a turn after every chunk.
 *
 * Source: https://www.wireguard.com/xplatform/#configuration-protocol
 */
export class UapiServer {
  readonly #control: DeviceControl;
  readonly #onRefused: NonNullable<UapiServerOptions['onRefused']>;
  readonly #onFailed: NonNullable<UapiServerOptions['onFailed']>;
  readonly #readZones: () => ZoneNames;
  readonly #limits: UapiConnectionLimits;
  readonly #connections = new Set<UapiConnection>();

  constructor(control: DeviceControl, options: UapiServerOptions = {}) {
    this.#control = control;
    this.#onRefused = options.onRefused ?? (() => {});
    this.#onFailed = options.onFailed ?? (() => {});
    this.#readZones = options.readZones ?? (() => new SystemZoneNames());
    this.#limits = options.limits ?? {};
  }

  /** Serves one connection until it ends. @param socket Opened with `allowHalfOpen`. */
  async serve(socket: Socket): Promise<void> {
    const connection = new UapiConnection(socket, this.#limits);
    this.#makeRoom();
    this.#connections.add(connection);
    connection.onClosed(() => this.#connections.delete(connection));
    const reader = new UapiRequestReader(this.#readZones);
    try {
      await this.#answerRequests(connection, reader);
    } catch (error) {
      if (!isSystemError(error) && !isPrematureClose(error)) throw error;
      if (!isDisconnect(error)) this.#onFailed(error);
    } finally {
      reader.clear();
      connection.end();
    }
  }

  /** Cuts all connections. */
  close(): void {
    for (const connection of this.#connections) connection.destroy();
  }

  #makeRoom(): void {
    if (this.#connections.size < MAX_CONNECTIONS) return;
    let oldest: UapiConnection | undefined;
    for (const connection of this.#connections)
      if (oldest === undefined || connection.lastActiveMs < oldest.lastActiveMs) oldest = connection;
    oldest?.destroy();
  }

  async #answerRequests(connection: UapiConnection, reader: UapiRequestReader): Promise<void> {
    for await (const chunk of connection.chunks()) if (!(await this.#answerChunk(chunk, reader, connection))) return;

    reader.end();
    const request = reader.takeRequest();
    if (request === undefined) return;
    // A client that died in the middle of a `set` looks like a client that only stopped sending, but receives no answer.
    if (await connection.canHear()) await this.#answer(request, connection);
    else discard(request);
  }

  /** @returns Whether the connection goes on. */
  async #answerChunk(chunk: Buffer, reader: UapiRequestReader, connection: UapiConnection): Promise<boolean> {
    try {
      for (let at = 0; at < chunk.length; ) {
        at = reader.read(chunk, at);
        const request = reader.takeRequest();
        if (request !== undefined && !(await this.#answer(request, connection))) return false;
      }
      return true;
    } catch (error) {
      if (!isSystemError(error) || isDisconnect(error)) throw error;
      this.#onFailed(error);
      await connection.writeText(formatErrno(Errno.Io));
      return false;
    } finally {
      chunk.fill(0);
    }
  }

  /** @returns Whether the connection goes on. */
  async #answer(request: UapiRequest, connection: UapiConnection): Promise<boolean> {
    switch (request.kind) {
      case 'unknown':
        return false;
      case 'refused': {
        const { operation, refusal } = request;
        this.#onRefused(operation, refusal);
        await connection.writeText(formatErrno(operation === 'set' ? -refusal.errno : refusal.errno));
        return operation === 'set';
      }
      case 'set':
        await connection.writeText(formatErrno(-(await this.#apply(request))));
        return true;
      case 'get':
        await this.#control.read((state) => connection.write(turnByTurn(formatGet(state, this.#readZones()))));
        return true;
      case 'explain': {
        const explanation = this.#control.explain?.();
        if (explanation === undefined) return false;
        await this.#control.read(() => connection.write(turnByTurn(formatExplanation(explanation))));
        return true;
      }
    }
  }

  async #apply({ change, clear }: UapiRequest & { kind: 'set' }): Promise<number> {
    try {
      await this.#control.apply(change);
      return 0;
    } catch (error) {
      if (!(error instanceof WireGuardError)) throw error;
      const errno = errnoOf(error.code);
      this.#onRefused('set', { errno, key: '', reason: error.message });
      return errno;
    } finally {
      clear();
    }
  }
}

/** Yields the chunks of an answer and its end, with a turn of the event loop after each chunk. */
async function* turnByTurn(chunks: Iterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  for (const chunk of chunks) {
    yield chunk;
    await nextTurn();
  }
  yield Buffer.from(formatErrno(0), 'latin1');
}

function formatErrno(errno: number): string {
  return `errno=${errno}\n\n`;
}

function discard(request: UapiRequest): void {
  if (request.kind === 'set') request.clear();
}

/** Tests for a connection that was cut, by the client or by us. */
function isDisconnect(error: Error): boolean {
  return isPrematureClose(error) || hasCode(error, 'ECONNRESET') || hasCode(error, 'EPIPE');
}

function isPrematureClose(error: unknown): error is Error {
  return hasCode(error, 'ERR_STREAM_PREMATURE_CLOSE');
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
