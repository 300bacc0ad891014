import { isUtf8 } from 'node:buffer';
import { constants, type Stats } from 'node:fs';
import { open, realpath, rename, rm, stat } from 'node:fs/promises';

import { WireGuardError } from '../../core/errors.js';
import type { ConfigDocument } from './config-document.js';
import { parseConfig } from './parse-config.js';

export interface ConfigFileOptions {
  /** Permission bits of the file; 0600 if absent, since the file holds a private key. */
  readonly mode?: number;
  /** The file must not exist yet. */
  readonly isNew?: boolean;
}

const PRIVATE_MODE = 0o600;
const MAX_FILE_BYTES = 256 * 2 ** 20;

/**
 * Reads a file. Symbolic links are followed, pipes are read to their end.
 *
 * @throws {WireGuardError} ERR_CONFIG_FILE if it cannot be read, is a directory, or is not UTF-8 text.
 */
export async function readConfigFile(path: string): Promise<ConfigDocument> {
  const bytes = await readBytes(path);
  try {
    return parseConfig(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes), path);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new WireGuardError('ERR_CONFIG_FILE', `${path}:${lineOfBadByte(bytes)}: not UTF-8 text`, { cause: error });
  } finally {
    bytes.fill(0);
  }
}

/**
 * Writes a file so that readers see the old text or the new one, never a part. A symbolic link stays
 * and its target is replaced; owner and mode of an existing file stay.
 *
 * @throws {WireGuardError} ERR_CONFIG_FILE if the system refuses, with `cause`. The old file is unchanged.
 */
export async function writeConfigFile(
  path: string,
  text: string | Uint8Array,
  options: ConfigFileOptions = {},
): Promise<void> {
  try {
    if (options.isNew === true) await writeTo(path, text, options.mode ?? PRIVATE_MODE);
    else await replaceFile(await realpath(path).catch(ignoreMissing(path)), text, options.mode);
  } catch (error) {
    throw fileError(path, 'write', error);
  }
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    const file = await open(path, 'r');
    try {
      const { size } = await file.stat();
      if (size > MAX_FILE_BYTES) throw new WireGuardError('ERR_CONFIG_FILE', `${path}: too large for a configuration`);
      return await file.readFile();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw fileError(path, 'read', error);
  }
}

async function replaceFile(path: string, text: string | Uint8Array, mode: number | undefined): Promise<void> {
  const old = await stat(path).catch(ignoreMissing(undefined));
  if (old?.isFile() === false) throw new WireGuardError('ERR_CONFIG_FILE', `${path}: cannot write: not a file`);

  const temporary = `${path}.${process.pid}.tmp`;
  await writeTo(temporary, text, mode ?? old?.mode ?? PRIVATE_MODE, old);
  try {
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Makes a new file; one that could not be written to its end is removed again. */
async function writeTo(path: string, text: string | Uint8Array, mode: number, owner?: Stats): Promise<void> {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const file = await open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, PRIVATE_MODE);
  try {
    if (owner !== undefined && process.getuid?.() === 0) await file.chown(owner.uid, owner.gid);
    await file.chmod(mode & 0o7777);
    await file.writeFile(text);
    await file.sync();
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}

function ignoreMissing<T>(fallback: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return fallback;
    throw error;
  };
}

function fileError(path: string, verb: 'read' | 'write', error: unknown): WireGuardError {
  if (error instanceof WireGuardError) return error;
  if (!(error instanceof Error)) throw error;
  return new WireGuardError('ERR_CONFIG_FILE', `${path}: cannot ${verb}: ${systemWords(error)}`, { cause: error });
}

/** What the system says, without the number, the call and the path that Node puts around it. */
export function systemWords(error: Error): string {
  return error.message.replace(/^[A-Z0-9]+: /, '').replace(/, [a-z]+(?: '.*)?$/s, '');
}

function lineOfBadByte(bytes: Uint8Array): number {
  const lines = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1').split('\n');
  const at = lines.findIndex((line) => !isUtf8(Buffer.from(line, 'latin1')));
  return at < 0 ? lines.length : at + 1;
}
