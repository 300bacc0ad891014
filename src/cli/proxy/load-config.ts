import { joinConfig } from '../../proxy/config/join-config.js';
import { readProxyFile } from '../../proxy/config/proxy-file.js';
import type { ProxyConfig } from '../../proxy/proxy-config.js';
import { type ProxyCommandLine, readCredentials } from './proxy-options.js';

export interface LoadedConfig {
  readonly config: ProxyConfig;
  /** Each a line or two. */
  readonly warnings: readonly string[];
}

/** Reads all files of a command line, and puts them together with it. @throws {WireGuardError} */
export async function loadConfig(
  line: ProxyCommandLine,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<LoadedConfig> {
  const credentials = await readCredentials(line, environment);
  const files = [];
  for (const { file, name } of line.files)
    files.push(await readProxyFile(file, { environment, ...(name !== undefined && { name }) }));
  return { config: joinConfig(files, { ...line, credentials }), warnings: files.flatMap(({ warnings }) => warnings) };
}
