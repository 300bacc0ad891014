import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { WireGuardError } from '../core/errors.js';
import type { DeviceControl } from './device-control.js';
import { errnoOf, type UapiRefusal } from './uapi-errno.js';
import { formatExplanation } from './uapi-explain-text.js';
import { formatGet } from './uapi-get-text.js';
import { type UapiRequest, UapiRequestReader } from './uapi-request.js';
import { SystemZoneNames, type ZoneNames } from './zone-names.js';

export interface UapiServerOptions {
  /** Something was refused: for the log. Called for requests only, never for a connection that says nothing. */
  readonly onRefused?: (operation: 'get' | 'set', refusal: UapiRefusal) => void;
  readonly readZones?: () => ZoneNames;
}

/**
 * Answers the configuration protocol on stream sockets, whoever accepted them.
 *
 * Any number of connections at once, any number of requests on each, one request at a time: a `set` never
 * falls into the middle of a `get`. A long answer gives the event loop a turn after every chunk.
 *
 * Source: https://www.wireguard.com/xplatform/#configuration-protocol
 */
export class UapiServer {
  readonly #control: DeviceControl;
  readonly #onRefused: NonNullable<UapiServerOptions['onRefused']>;
  readonly #readZones: () => ZoneNames;
  readonly #sockets = new Set<Socket>();
  /** Settles when the last request that was taken up is done. */
  #lastRequest: Promise<void> = Promise.resolve();

  constructor(control: DeviceControl, options: UapiServerOptions = {}) {
    this.#control = control;
    this.#onRefused = options.onRefused ?? (() => {});
    this.#readZones = options.readZones ?? (() => new SystemZoneNames());
  }

  /** Serves one connection until it ends. @param socket Opened with `allowHalfOpen`. */
  async serve(socket: Socket): Promise<void> {
    const reader = new UapiRequestReader(this.#readZones);
    this.#sockets.add(socket);
    socket.on('error', () => {}); // a client that goes away harms nobody; the loop below sees the end
    try {
      await this.#answerRequests(socket, reader);
    } catch (error) {
      if (!isDisconnect(error)) throw error;
    } finally {
      reader.clear();
      socket.end(() => socket.destroy()); // even if more came than was read
      socket.once('close', () => this.#sockets.delete(socket));
    }
  }

  /** Cuts all connections. */
  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async #answerRequests(socket: Socket, reader: UapiRequestReader): Promise<void> {
    const chunks: AsyncIterable<Buffer> = socket.iterator({ destroyOnReturn: false });
    for await (const chunk of chunks) if (!(await this.#answerChunk(chunk, reader, socket))) return;

    reader.end();
    const request = reader.takeRequest();
    if (request === undefined) return;
    // A client that died in the middle of a `set` looks like one that only stopped sending, but cannot hear us.
    if (await canHear(socket)) await this.#answer(request, socket);
    else discard(request);
  }

  /** @returns Whether the connection goes on. */
  async #answerChunk(chunk: Buffer, reader: UapiRequestReader, socket: Socket): Promise<boolean> {
    try {
      for (let at = 0; at < chunk.length; ) {
        at = reader.read(chunk, at);
        const request = reader.takeRequest();
        if (request !== undefined && !(await this.#answer(request, socket))) return false;
      }
      return true;
    } finally {
      chunk.fill(0);
    }
  }

  /** @returns Whether the connection goes on. */
  async #answer(request: UapiRequest, socket: Socket): Promise<boolean> {
    switch (request.kind) {
      case 'unknown':
        return false;
      case 'refused': {
        const { operation, refusal } = request;
        this.#onRefused(operation, refusal);
        socket.write(formatErrno(operation === 'set' ? -refusal.errno : refusal.errno));
        return operation === 'set';
      }
      case 'set':
        await this.#afterOthers(() => socket.write(formatErrno(-this.#apply(request))));
        return true;
      case 'get':
        await this.#afterOthers(() => this.#writeChunks(socket, formatGet(this.#control.state, this.#readZones())));
        return true;
      case 'explain': {
        const explanation = this.#control.explain?.();
        if (explanation === undefined) return false;
        await this.#afterOthers(() => this.#writeChunks(socket, formatExplanation(explanation)));
        return true;
      }
    }
  }

  #apply({ change, clear }: UapiRequest & { kind: 'set' }): number {
    try {
      this.#control.apply(change);
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

  async #writeChunks(socket: Socket, chunks: Iterable<Buffer>): Promise<void> {
    for (const chunk of chunks) {
      if (socket.destroyed) {
        chunk.fill(0);
        return;
      }
      socket.write(chunk, () => chunk.fill(0));
      await nextTurn();
    }
    socket.write(formatErrno(0));
  }

  #afterOthers(job: () => unknown): Promise<void> {
    const done = this.#lastRequest.then(async () => {
      await job();
    });
    this.#lastRequest = done.catch(() => {}); // the one who waits for `done` sees the error
    return done;
  }
}

function formatErrno(errno: number): string {
  return `errno=${errno}\n\n`;
}

/** Tests whether the other side still reads: writing nothing fails with EPIPE where it is closed. */
function canHear(socket: Socket): Promise<boolean> {
  return new Promise((resolve) => {
    socket.write(new Uint8Array(0), (error) => resolve(error === undefined || error === null));
  });
}

function discard(request: UapiRequest): void {
  if (request.kind === 'set') request.clear();
}

/** Errors of a connection that was cut, by the client or by `close`. */
function isDisconnect(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  const { code } = error;
  return code === 'ECONNRESET' || code === 'EPIPE' || code === 'ERR_STREAM_PREMATURE_CLOSE';
}
