import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { WireGuardError } from '../../core/errors.js';
import { formatJson } from '../json-text.js';

/** A file that `install` made, and the file that it replaced. */
export interface InstalledFile {
  readonly path: string;
  /** SHA-256 of a file, or target of a link; a difference means that it was changed since. */
  readonly digest: string;
  /** The path at which the replaced file is kept. */
  readonly saved: string | null;
}

/** The record of an installation, by which it is undone. */
export interface Manifest {
  readonly version: string;
  readonly files: readonly InstalledFile[];
  /** Folders that were made, the inner ones last. */
  readonly folders: readonly string[];
}

export const EMPTY_MANIFEST: Manifest = { version: '', files: [], folders: [] };

/** Returns where the record is kept. */
export function manifestPath(prefix: string): string {
  return join(prefix, 'lib/wiretype/installed.json');
}

/** @returns `undefined` if nothing is installed there. @throws {WireGuardError} ERR_INSTALL if the record is damaged. */
export function readManifest(prefix: string): Manifest | undefined {
  const path = manifestPath(prefix);
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (isManifest(value)) return value;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new WireGuardError('ERR_INSTALL', `${path} is damaged: it does not list what was installed`);
}

/** Writes the record; readers see the old one or the new one. */
export function writeManifest(prefix: string, manifest: Manifest): void {
  const path = manifestPath(prefix);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, formatJson(manifest));
  renameSync(`${path}.new`, path);
}

export function removeManifest(prefix: string): void {
  rmSync(manifestPath(prefix), { force: true });
}

function isManifest(value: unknown): value is Manifest {
  if (!isObject(value) || typeof value['version'] !== 'string') return false;
  const { files, folders } = value;
  return Array.isArray(files) && files.every(isFile) && Array.isArray(folders) && folders.every(isAbsolute);
}

function isFile(value: unknown): value is InstalledFile {
  if (!isObject(value) || typeof value['digest'] !== 'string') return false;
  return isAbsolute(value['path']) && (value['saved'] === null || isAbsolute(value['saved']));
}

function isAbsolute(value: unknown): value is string {
  return typeof value === 'string' && value.startsWith('/');
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
