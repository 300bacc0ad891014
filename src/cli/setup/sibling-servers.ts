import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { readConfigFile } from '../../control/config/config-file.js';
import type { IpPrefix } from '../../core/configuration.js';
import { WireGuardError } from '../../core/errors.js';
import { unlessInvalid } from '../unless-invalid.js';

/** A configuration file beside the file that `init` makes: an interface that may be up later. */
export interface SiblingServer {
  readonly path: string;
  /** 0: none. */
  readonly listenPort: number;
  readonly addresses: readonly IpPrefix[];
}

/** Reads the configuration files of a folder. Omits files that cannot be read. */
export async function readSiblings(folder: string): Promise<SiblingServer[]> {
  const siblings: SiblingServer[] = [];
  for (const name of listFiles(folder)) {
    const path = join(folder, name);
    const section = await readSection(path);
    siblings.push({
      path,
      listenPort: unlessInvalid(() => section?.listenPort) ?? 0,
      addresses: unlessInvalid(() => section?.addresses) ?? [],
    });
  }
  return siblings;
}

async function readSection(path: string) {
  try {
    return (await readConfigFile(path)).interfaceSection;
  } catch (error) {
    if (error instanceof WireGuardError) return undefined;
    throw error;
  }
}

function listFiles(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries.filter((entry) => !entry.isFIFO() && entry.name.endsWith('.conf')).map(({ name }) => name);
  } catch (error) {
    if (error instanceof Error && 'code' in error) return [];
    throw error;
  }
}
