import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A file of the page, in memory. */
export interface StaticFile {
  readonly type: string;
  readonly etag: string;
  readonly isImmutable: boolean;
  readonly bytes: Buffer;
  readonly brotli?: Buffer;
  readonly gzip?: Buffer;
}

interface ManifestEntry {
  readonly file: string;
  readonly br?: string;
  readonly gz?: string;
  readonly type: string;
  readonly etag: string;
  readonly immutable?: boolean;
}

/**
 * Reads the page into memory, as its manifest lists it. No path of a request ever reaches the disk.
 *
 * @returns By path, such as `/index.html`. Empty: the page was not built.
 */
export function loadStaticFiles(folder: string): ReadonlyMap<string, StaticFile> {
  const manifest = join(folder, 'manifest.json');
  if (!existsSync(manifest)) return new Map();
  const entries = JSON.parse(readFileSync(manifest, 'utf8')) as Record<string, ManifestEntry>;
  return new Map(
    Object.entries(entries).map(([path, { file, br, gz, type, etag, immutable = false }]) => [
      path,
      {
        type,
        etag,
        isImmutable: immutable,
        bytes: readFileSync(join(folder, file)),
        ...(br === undefined ? {} : { brotli: readFileSync(join(folder, br)) }),
        ...(gz === undefined ? {} : { gzip: readFileSync(join(folder, gz)) }),
      },
    ]),
  );
}
