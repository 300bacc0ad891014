import { hostname } from 'node:os';

import { WireGuardError } from '../../core/errors.js';
import type { TunnelHost } from '../../rootless/tunnel-host.js';
import type {} from '../mesh-errors.js';
import type { AgentEvent } from './agent-options.js';
import type { AgentStatus } from './agent-status.js';

export interface OpenMeshOptions {
  /** Folder of the keys and the last map, which is made with mode 0700. */
  readonly folder: string;
  /** `wiretype-invite:…`, used if the folder has no node yet. */
  readonly invitation?: string;
  /** Name of this node, unless the invitation has one. Default: the name of the host. */
  readonly name?: string;
  readonly onEvent?: (event: AgentEvent) => void;
}

/** A node of a mesh inside of a program. */
export interface MeshNode extends AsyncDisposable {
  /** Sockets, servers, names and pings of the network. Names end with `.NETWORK.internal`. */
  readonly host: TunnelHost;
  status(): AgentStatus;
  close(): Promise<void>;
}

/**
 * Makes this program a node of a mesh, without root.
 *
 * ```ts
 * await using mesh = await openMesh({ folder: 'state', invitation: process.env.INVITATION });
 * const response = await fetch('http://server.home.internal/', { dispatcher: mesh.host.dispatcher });
 * ```
 *
 * @throws {WireGuardError} ERR_INVITATION, ERR_ENROLMENT, ERR_HUB_UNREACHABLE, ERR_NODE_STATE, ERR_NAME_RESOLUTION
 */
export async function openMesh({ folder, invitation, name, onEvent }: OpenMeshOptions): Promise<MeshNode> {
  // A program that only opens tunnels does not load the mesh.
  const { hasNodeState, readNodeState, writeNodeState } = await import('./node-state.js');
  if (!hasNodeState(folder)) await joinInto(folder, invitation, name);
  const { openRootlessAgent } = await import('./open-agent.js');
  const { readStatus } = await import('./read-status.js');
  const state = readNodeState(folder);
  const { agent, host, close } = await openRootlessAgent({
    state,
    addresses: state.addresses,
    save: (next) => writeNodeState(folder, next),
    ...(onEvent === undefined ? {} : { onEvent }),
  });
  return { host, status: () => readStatus(agent), close, [Symbol.asyncDispose]: close };
}

async function joinInto(folder: string, invitation: string | undefined, name: string | undefined): Promise<void> {
  if (invitation === undefined)
    throw new WireGuardError('ERR_INVITATION', `${folder} has no node, and there is no invitation`);
  const { parseInvitation } = await import('../records/invitation-text.js');
  const { join } = await import('./join.js');
  const { writeNodeState } = await import('./node-state.js');
  await writeNodeState(folder, await join(parseInvitation(invitation), name ?? hostname().split('.')[0]!));
}
