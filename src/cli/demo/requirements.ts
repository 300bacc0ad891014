import { accessSync, constants } from 'node:fs';
import { WireGuardError } from '../../core/errors.js';
import type { Commands } from '../../host/net/commands.js';

const TUN_DEVICE = '/dev/net/tun';

/** Names the first requirement of the demo that this machine lacks. @throws {WireGuardError} ERR_DEMO_REQUIREMENT */
export function checkRequirements(commands: Commands): void {
  if (process.platform !== 'linux') throw missing('this system is not Linux');
  if (process.getuid?.() !== 0) throw missing('it is not run as root');
  if (!isUsable(TUN_DEVICE)) throw missing(`there is no ${TUN_DEVICE}`);
  if (!commands.has('ip')) throw missing('the program "ip" is missing (apt-get install iproute2)');
  if (!commands.has('ping')) throw missing('the program "ping" is missing (apt-get install iputils-ping)');
}

function missing(what: string): WireGuardError {
  return new WireGuardError('ERR_DEMO_REQUIREMENT', `cannot start: ${what}`);
}

function isUsable(device: string): boolean {
  try {
    accessSync(device, constants.R_OK | constants.W_OK);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false;
    throw error;
  }
}
