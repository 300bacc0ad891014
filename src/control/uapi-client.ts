import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { DeviceChange } from '../core/configuration.js';
import { WireGuardError } from '../core/errors.js';
import type { DeviceState } from './device-control.js';
import { parseExplanation, type ReceivedExplanation } from './uapi-explain-text.js';
import { parseGet } from './uapi-get-parser.js';
import { formatSet } from './uapi-set-text.js';
import { SystemZoneNames, type ZoneNames } from './zone-names.js';

const END_OF_REPLY = Buffer.from('\n\n');
const ERRNO_LINE = /^errno=-?([0-9]{1,9})\n/;

/**
 * Talks to a userspace WireGuard, ours or another, through its control socket.
 *
 * Every call is one connection, as `wg` does it.
 */
export class UapiClient {
  readonly #path: string;
  readonly #zones: ZoneNames;

  /** @param path See `uapiSocketPath`. */
  constructor(path: string, zones: ZoneNames = new SystemZoneNames()) {
    this.#path = path;
    this.#zones = zones;
  }

  /**
   * @returns A copy of the device's state. The caller clears its secret keys.
   * @throws {WireGuardError} ERR_CONTROL_UNREACHABLE, ERR_CONTROL_REPLY, ERR_CONTROL_REFUSED
   */
  async get(): Promise<DeviceState> {
    const reply = await this.#request([Buffer.from('get=1\n\n')]);
    try {
      return parseGet(reply, this.#zones);
    } finally {
      reply.fill(0);
    }
  }

  /**
   * Asks for reasons, which only our daemon gives.
   *
   * @returns `undefined` if the program behind the socket does not know the question.
   * @throws {WireGuardError} ERR_CONTROL_UNREACHABLE, ERR_CONTROL_REPLY, ERR_CONTROL_REFUSED
   */
  async explain(): Promise<ReceivedExplanation | undefined> {
    try {
      const reply = await this.#request([Buffer.from('explain=1\n\n')]);
      return reply.length === 0 ? undefined : parseExplanation(reply.toString('latin1'));
    } catch (error) {
      if (isCutOff(error)) return undefined;
      throw error;
    }
  }

  /**
   * Applies a change. The keys in it stay the caller's.
   *
   * @throws {WireGuardError} ERR_CONTROL_UNREACHABLE, ERR_CONTROL_REPLY; ERR_CONTROL_REFUSED with the system's
   *   number as `cause`, when nothing was changed.
   */
  async set(change: DeviceChange): Promise<void> {
    const body = formatSet(change, this.#zones);
    try {
      const reply = await this.#request([Buffer.from('set=1\n'), body, Buffer.from('\n')]);
      const errno = ERRNO_LINE.exec(reply.toString('latin1'))?.[1];
      if (errno === undefined) throw new WireGuardError('ERR_CONTROL_REPLY', `${this.#path} gave no errno`);
      if (Number(errno) !== 0)
        throw new WireGuardError('ERR_CONTROL_REFUSED', `the daemon refused the change with errno ${errno}`, {
          cause: Number(errno),
        });
    } finally {
      body.fill(0);
    }
  }

  async #request(parts: readonly Buffer[]): Promise<Buffer> {
    const socket = connect(this.#path);
    try {
      await once(socket, 'connect');
      for (const part of parts) socket.write(part);
      return await readReply(socket);
    } catch (error) {
      if (!(error instanceof Error) || !('syscall' in error)) throw error;
      throw new WireGuardError('ERR_CONTROL_UNREACHABLE', `cannot talk to ${this.#path}: ${error.message}`, {
        cause: error,
      });
    } finally {
      socket.destroy();
    }
  }
}

/** A program that does not read on may cut the connection. */
function isCutOff(error: unknown): boolean {
  if (!(error instanceof WireGuardError) || !(error.cause instanceof Error)) return false;
  return 'code' in error.cause && (error.cause.code === 'ECONNRESET' || error.cause.code === 'EPIPE');
}

/** @returns What came until the first empty line, or until the other side closed. */
async function readReply(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    if (endsReply(chunks)) break;
  }
  const reply = Buffer.concat(chunks);
  for (const chunk of chunks) chunk.fill(0);
  return reply;
}

function endsReply(chunks: readonly Buffer[]): boolean {
  const last = chunks[chunks.length - 1]!;
  const before = chunks[chunks.length - 2];
  const tail = last.length >= 2 || before === undefined ? last : Buffer.concat([before.subarray(-1), last]);
  return tail.subarray(-2).equals(END_OF_REPLY);
}
