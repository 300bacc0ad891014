import { WireGuardError } from '../../core/errors.js';
import type { PlannedChange } from '../../gateway/service/rehearsal.js';
import type { CommandIo } from '../command.js';
import { formatJson } from '../json-text.js';
import { readConfigFile } from './config-file.js';
import type { GatewayClient } from './gateway-client.js';

export interface ApplyRequest {
  readonly path: string;
  readonly isDryRun: boolean;
  readonly isJson: boolean;
}

/**
 * Makes a gateway what a file declares, and writes each change.
 *
 * @throws {WireGuardError} ERR_VALUE with the line of the file; nothing was changed then.
 */
export async function applyFile(
  { path, isDryRun, isJson }: ApplyRequest,
  client: GatewayClient,
  io: CommandIo,
): Promise<void> {
  const { body, lineOf } = readConfigFile(path);
  const { changes } = await client
    .call<{ changes: PlannedChange[] }>('POST', `/config${isDryRun ? '?dryRun=1' : ''}`, body)
    .catch((error: Error) => {
      const place = /^((?:settings|devices|rules|prune)[\w.-]*): /.exec(error.message)?.[1];
      if (place === undefined) throw error;
      throw new WireGuardError('ERR_VALUE', `${path}:${lineOf(place)}: ${error.message}`, { cause: error });
    });
  if (isJson) {
    io.write(formatJson(changes));
    return;
  }
  for (const change of changes) io.write(lineFor(change));
  const count = `${changes.length} change${changes.length === 1 ? '' : 's'}`;
  if (changes.length === 0) io.writeError('Nothing differs.\n');
  else io.writeError(isDryRun ? `${count} to make; nothing was changed.\n` : `Made ${count}.\n`);
}

function lineFor({ path, from, to }: PlannedChange): string {
  if (from === undefined) return `+ ${path}: ${JSON.stringify(to)}\n`;
  if (to === undefined) return `- ${path}: ${JSON.stringify(from)}\n`;
  return `~ ${path}: ${JSON.stringify(from)} -> ${JSON.stringify(to)}\n`;
}
