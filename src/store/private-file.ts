import { closeSync, fsyncSync, openSync } from 'node:fs';

import { WireGuardError } from '../core/errors.js';
import type {} from './store-errors.js';

/** Creates an empty file of mode 0600. @param flag `a` keeps a file that exists, `wx` refuses it. */
export function createPrivateFile(path: string, flag: 'a' | 'wx'): void {
  attemptFile(path, () => closeSync(openSync(path, flag, 0o600)));
}

/** Waits until a file, or the names in a folder, are on disk. */
export function syncFile(path: string): void {
  attemptFile(path, () => {
    const descriptor = openSync(path, 'r');
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  });
}

/** Runs calls of the file system. @throws {WireGuardError} ERR_STORE_FULL, ERR_STORE_FILE */
export function attemptFile<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error && 'code' in error)) throw error;
    const isFull = error.code === 'ENOSPC' || error.code === 'EDQUOT';
    if (isFull) throw new WireGuardError('ERR_STORE_FULL', `${path}: the disk is full`, { cause: error });
    throw new WireGuardError('ERR_STORE_FILE', `${path}: ${error.message}`, { cause: error });
  }
}
