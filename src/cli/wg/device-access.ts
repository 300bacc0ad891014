import { existsSync, opendirSync, statSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';

import { exchange } from '../../control/uapi-exchange.js';
import { WireGuardError } from '../../core/errors.js';
import { SystemFailure, type WgContext } from './wg-context.js';

const SOCKET_SUFFIX = '.sock';

const ENOENT = 2;
const EPROTO = 71;

/**
 * Lists the interfaces of the kernel's own, then those that a daemon answers for, in the directory's order. Removes
 * sockets without a daemon.
 *
 * @throws {SystemFailure}
 */
export async function listInterfaces(context: WgContext): Promise<string[]> {
  const { listKernelInterfaces } = await import('./kernel-access.js');
  const names = await listKernelInterfaces(context);
  for (const file of readSocketDirectory(context.socketDirectory)) {
    const name = file.slice(0, -SOCKET_SUFFIX.length);
    if (name !== '' && file.endsWith(SOCKET_SUFFIX) && (await isAnswered(socketPath(context, name)))) names.push(name);
  }
  return names;
}

/**
 * Sends a request to the daemon of an interface.
 *
 * @returns Its answer, up to the first empty line or to where it closed, which the caller clears; `undefined` where no
 *   daemon answers, so that it may be an interface of the kernel's own.
 * @throws {SystemFailure}
 */
export async function askDaemon(
  context: WgContext,
  name: string,
  parts: readonly Buffer[],
): Promise<Buffer | undefined> {
  const path = socketPath(context, name);
  if (name.includes('/') || !isSocket(path)) return undefined;
  try {
    return await exchange(path, parts);
  } catch (error) {
    const failure = toSystemFailure(error);
    if (!isRefused(error)) throw failure;
    removeStale(path);
    return undefined;
  }
}

function isAnswered(path: string): Promise<boolean> {
  if (!isSocket(path)) return Promise.resolve(false);
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.on('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.on('error', (error) => {
      if (isRefused(error)) removeStale(path);
      resolve(!isRefused(error));
    });
  });
}

function readSocketDirectory(directory: string): string[] {
  const names: string[] = [];
  if (!existsSync(directory)) return names;
  try {
    const files = opendirSync(directory);
    for (let file = files.readSync(); file !== null; file = files.readSync()) names.push(file.name);
    files.closeSync();
  } catch (error) {
    throw toSystemFailure(error);
  }
  return names;
}

function socketPath(context: WgContext, name: string): string {
  return join(context.socketDirectory, `${name}${SOCKET_SUFFIX}`);
}

function isSocket(path: string): boolean {
  try {
    return statSync(path).isSocket();
  } catch (error) {
    toSystemFailure(error); // a path that cannot be looked at counts as missing
    return false;
  }
}

function removeStale(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    toSystemFailure(error); // whoever may not remove it leaves it
  }
}

function isRefused(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED';
}

/** Returns a system error by its number, and an unreadable answer as EPROTO. Throws any other error, which is a bug. */
export function toSystemFailure(error: unknown): SystemFailure {
  if (error instanceof SystemFailure) return error;
  if (error instanceof WireGuardError && error.code === 'ERR_CONTROL_REPLY') return protocolFailure(error.message);
  if (!(error instanceof Error) || !('errno' in error) || typeof error.errno !== 'number') throw error;
  return new SystemFailure(Math.abs(error.errno) || ENOENT, error.message, { cause: error });
}

/** @param why The daemon's mistake. */
export function protocolFailure(why: string): SystemFailure {
  return new SystemFailure(EPROTO, why);
}
