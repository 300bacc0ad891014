import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

import { WireGuardError } from '../../core/errors.js';
import { hasNodeState } from '../../mesh/agent/node-state.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** Folder of all state: that of the system for root, else that of the user (XDG Base Directory Specification). */
function stateFolder(environment: Environment): string {
  if (process.getuid?.() === 0 && environment['XDG_STATE_HOME'] === undefined) return '/var/lib/wiretype';
  return join(environment['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state'), 'wiretype');
}

/** The folder of a hub. */
export function hubFolder(chosen: string | undefined, environment: Environment): string {
  return chosen ?? join(stateFolder(environment), 'hub');
}

/** The folder of a node in a network. */
export function nodeFolder(chosen: string | undefined, network: string, environment: Environment): string {
  return chosen ?? join(stateFolder(environment), 'mesh', network);
}

/** The networks that this host has joined. */
export function joinedNetworks(environment: Environment): string[] {
  const folder = join(stateFolder(environment), 'mesh');
  if (!existsSync(folder)) return [];
  return readdirSync(folder).filter((name) => hasNodeState(join(folder, name)));
}

/** Finds the folder of the node that a command is about. @throws {WireGuardError} ERR_VALUE: none or several were joined. */
export function findNodeFolder(
  chosen: string | undefined,
  network: string | undefined,
  environment: Environment,
): string {
  if (chosen !== undefined) return chosen;
  if (network !== undefined) return nodeFolder(undefined, network, environment);
  const joined = joinedNetworks(environment);
  if (joined.length === 1) return nodeFolder(undefined, joined[0]!, environment);
  const reason = joined.length === 0 ? 'this host has joined no network' : `name one of ${joined.join(', ')}`;
  throw new WireGuardError('ERR_VALUE', `which network? ${reason}`);
}

/** The socket by which a running agent is asked. */
export function agentSocketPath(folder: string): string {
  return join(folder, 'agent.sock');
}
