import { open, realpath } from 'node:fs/promises';

import { WireGuardError } from '../../core/errors.js';
import { decodeBytes, encodeBytes } from '../byte-text.js';
import type { ConfigDocument } from './config-document.js';
import { parseConfig } from './parse-config.js';
import { createFile, replaceFile } from './replace-file.js';

export interface ConfigFileOptions {
  /** Permission bits of the file; 0600 if absent, since the file holds a private key. */
  readonly mode?: number;
  /** The file must not exist. */
  readonly isNew?: boolean;
  /** Receives the path of the new file before the new file replaces the old one. */
  readonly onDraft?: (draft: string) => Promise<void>;
}

const MAX_FILE_BYTES = 256 * 2 ** 20;

/**
 * Reads a file. Symbolic links are followed, pipes are read to their end. Bytes that are not UTF-8 are kept:
 * `writeConfigFile` writes them back.
 *
 * @throws {WireGuardError} ERR_CONFIG_FILE if the file cannot be read, is a directory, or is UTF-16 text.
 */
export async function readConfigFile(path: string): Promise<ConfigDocument> {
  const bytes = await readBytes(path);
  try {
    if (isUtf16(bytes)) throw new WireGuardError('ERR_CONFIG_FILE', `${path}: UTF-16 text: save the file as UTF-8`);
    return parseConfig(decodeBytes(bytes), path);
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
  const bytes = typeof text === 'string' ? encodeBytes(text) : text;
  try {
    if (options.isNew === true) await createFile(path, bytes, options.mode);
    else await replaceFile(await realpath(path).catch(ignoreMissing(path)), bytes, options);
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

function isUtf16([first, second]: Uint8Array): boolean {
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
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

/** Returns the system's error text, without the number, the call and the path that Node adds. */
export function systemWords(error: Error): string {
  return error.message.replace(/^[A-Z0-9]+: /, '').replace(/, [a-z]+(?: '.*)?$/s, '');
}
