import { accessSync, constants } from 'node:fs';
import { WireGuardError } from '../../core/errors.js';
import type { Commands } from '../../host/net/commands.js';

/** Programs of the system, with their Debian packages. */
export const TOOLS: Tools = [
  ['ip', 'iproute2'],
  ['ping', 'iputils-ping'],
];
export const PROXY_TOOLS: Tools = [
  ['ip', 'iproute2'],
  ['setpriv', 'util-linux'],
  ['curl', 'curl'],
];

type Tools = readonly (readonly [program: string, debianPackage: string])[];

const TUN_DEVICE = '/dev/net/tun';

/** Names the first requirement of the demo that this machine lacks. @throws {WireGuardError} ERR_DEMO_REQUIREMENT */
export function checkRequirements(commands: Commands, tools: Tools): void {
  if (process.platform !== 'linux') throw missing('this system is not Linux');
  if (process.getuid?.() !== 0) throw missing('it is not run as root');
  if (!isUsable(TUN_DEVICE)) throw missing(`there is no ${TUN_DEVICE}`);
  for (const [program, debianPackage] of tools)
    if (!commands.has(program)) throw missing(`the program "${program}" is missing (apt-get install ${debianPackage})`);
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
