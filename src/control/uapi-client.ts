import { basename } from 'node:path';
import type { DeviceChange } from '../core/configuration.js';
import { WireGuardError } from '../core/errors.js';
import type { DeviceClient } from './device-client.js';
import type { DeviceState } from './device-control.js';
import { exchange } from './uapi-exchange.js';
import { parseExplanation, type ReceivedExplanation } from './uapi-explain-text.js';
import { parseGet } from './uapi-get-parser.js';
import { parseSetReply, refusal } from './uapi-reply.js';
import { formatSet } from './uapi-set-text.js';
import { toUnreachable } from './unreachable.js';
import { SystemZoneNames, type ZoneNames } from './zone-names.js';

/**
 * A client of the control socket of a userspace WireGuard, ours or another.
 *
 * Every call is one connection, as `wg` does it.
 */
export class UapiClient implements DeviceClient {
  readonly #path: string;
  readonly #zones: ZoneNames;

  /** @param path See `uapiSocketPath`. */
  constructor(path: string, zones: ZoneNames = new SystemZoneNames()) {
    this.#path = path;
    this.#zones = zones;
  }

  /**
   * @returns A copy of the device's state. The caller clears its secret keys.
   * @throws {WireGuardError} ERR_CONTROL_UNREACHABLE, ERR_NOT_ROOT, ERR_CONTROL_TIMEOUT, ERR_CONTROL_REPLY, ERR_CONTROL_REFUSED
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
   * Requests the reasons, which only our daemon reports.
   *
   * @returns `undefined` if the program behind the socket does not support the request.
   * @throws {WireGuardError} ERR_CONTROL_UNREACHABLE, ERR_NOT_ROOT, ERR_CONTROL_TIMEOUT, ERR_CONTROL_REPLY, ERR_CONTROL_REFUSED
   */
  async explain(): Promise<ReceivedExplanation | undefined> {
    try {
      const reply = await this.#request([Buffer.from('explain=1\n\n')]);
      return reply.length === 0 ? undefined : parseExplanation(reply);
    } catch (error) {
      if (isCutOff(error)) return undefined;
      throw error;
    }
  }

  /**
   * Applies a change. The keys in it stay the caller's.
   *
   * @throws {WireGuardError} ERR_CONTROL_UNREACHABLE, ERR_NOT_ROOT, ERR_CONTROL_TIMEOUT, ERR_CONTROL_REPLY; ERR_CONTROL_REFUSED with the system's
   *   number as `cause`, when nothing was changed.
   */
  async set(change: DeviceChange): Promise<void> {
    const body = formatSet(change, this.#zones);
    try {
      const errno = parseSetReply(await this.#request([Buffer.from('set=1\n'), body, Buffer.from('\n')]));
      if (errno !== 0) throw refusal('refused the change', errno);
    } finally {
      body.fill(0);
    }
  }

  async #request(parts: readonly Buffer[]): Promise<Buffer> {
    try {
      return await exchange(this.#path, parts);
    } catch (error) {
      throw toUnreachable(basename(this.#path, '.sock'), error);
    }
  }
}

/** A program that stops reading may cut the connection. */
function isCutOff(error: unknown): boolean {
  if (!(error instanceof WireGuardError) || !(error.cause instanceof Error)) return false;
  return 'code' in error.cause && (error.cause.code === 'ECONNRESET' || error.cause.code === 'EPIPE');
}
