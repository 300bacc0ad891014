import { rmSync } from 'node:fs';
import { hostname } from 'node:os';

import { WireGuardError } from '../../core/errors.js';
import type { AgentStatus } from '../../mesh/agent/agent-status.js';
import { join } from '../../mesh/agent/join.js';
import { hasNodeState, writeNodeState } from '../../mesh/agent/node-state.js';
import { type InvitationText, parseInvitation } from '../../mesh/records/invitation-text.js';
import type { CommandIo } from '../command.js';
import type { parseOptions } from '../device/command-options.js';
import { GatewayClient } from '../gateway/gateway-client.js';
import { parseListenOption } from '../gateway/gateway-options.js';
import { formatJson } from '../json-text.js';
import { readVariable } from '../variable.js';
import { statusText } from './agent-text.js';
import { agentSocketPath, findNodeFolder, nodeFolder } from './mesh-folder.js';
import type { MESH_OPTIONS } from './mesh-options.js';

const MAX_INVITATION_BYTES = 8_192;

export interface MeshLine {
  /** The words behind the name of the action. */
  readonly words: readonly string[];
  readonly values: ReturnType<typeof parseOptions<typeof MESH_OPTIONS>>['values'];
}

export type MeshAction = (line: MeshLine, io: CommandIo) => Promise<number | void>;

/** The actions on the host of a node, by name. */
export const NODE_ACTIONS: Readonly<Record<string, MeshAction>> = {
  join: async (line, io) => {
    const { values, words } = line;
    checkTogether(values);
    const text = await invitationText(words[0], io);
    const folder =
      text === undefined ? findNodeFolder(values.state, undefined, process.env) : await enrol(text, line, io);
    if (values.enrol === true) return 0;
    return await run(folder, line, io);
  },

  agent: async (line, io) => {
    checkTogether(line.values);
    const folder = findNodeFolder(line.values.state, line.words[0], process.env);
    if (!hasNodeState(folder))
      throw new WireGuardError('ERR_VALUE', `this host has not joined ${line.words[0] ?? 'a network'}`);
    return await run(folder, line, io);
  },

  status: async ({ words, values }, io) => {
    const status = await agentClient(values.state, words[0]).call<AgentStatus>('GET', '/status');
    io.write(values.json === true ? formatJson(status) : statusText(status, Date.now()));
  },

  rotate: async ({ words, values }, io) => {
    await agentClient(values.state, words[0]).call('POST', '/rotate', {});
    io.writeError('The next key was announced; it is used in a few seconds.\n');
  },

  leave: async ({ words, values }, io) => {
    const folder = findNodeFolder(values.state, words[0], process.env);
    await agentClient(values.state, words[0]).call('POST', '/leave', {});
    rmSync(`${folder}/node.json`, { force: true });
    io.writeError('This host has left the network. Its keys are gone.\n');
  },
};

/** The invitation of the command line, of standard input, or of the environment. */
async function invitationText(word: string | undefined, io: CommandIo): Promise<string | undefined> {
  if (word === '-') return Buffer.from(await io.readInput(MAX_INVITATION_BYTES)).toString('utf8');
  if (word !== undefined) return word;
  return readVariable('WIRETYPE_INVITATION', process.env)?.text;
}

/** Joins, unless this host has joined before: a container that starts again has the same invitation. @returns The folder. */
async function enrol(text: string, { values }: MeshLine, io: CommandIo): Promise<string> {
  const invitation: InvitationText = parseInvitation(text);
  const folder = nodeFolder(values.state, invitation.network, process.env);
  if (hasNodeState(folder)) {
    io.writeError(`This host is in ${invitation.network} already: the invitation was not used.\n`);
    return folder;
  }
  const state = await join(invitation, values.name ?? hostname().split('.')[0]!);
  await writeNodeState(folder, state);
  io.writeError(`Joined ${state.network} as ${state.name}: ${state.addresses.join(', ')}\n`);
  return folder;
}

/** Refuses what cannot be, before an invitation is used up. @throws {WireGuardError} ERR_USAGE */
function checkTogether(values: MeshLine['values']): void {
  if (values.proxy !== undefined && values.rootless !== true)
    throw new WireGuardError(
      'ERR_USAGE',
      '--proxy goes with --rootless: with an interface every program has the network',
    );
  if (values.exit !== undefined && values.rootless === true)
    throw new WireGuardError(
      'ERR_USAGE',
      '--exit goes without --rootless: it leads what the whole host sends, as root',
    );
}

async function run(folder: string, { values }: MeshLine, io: CommandIo): Promise<number> {
  const { runAgent } = await import('./run-agent.js');
  return await runAgent(
    {
      folder,
      isRootless: values.rootless === true,
      routes: values.route ?? [],
      ...(values.exit === undefined ? {} : { exitNode: values.exit }),
      ...(values.proxy === undefined ? {} : { proxy: parseListenOption('proxy', values.proxy, '1080') }),
      ...(values.health === undefined ? {} : { health: parseListenOption('health', values.health, '0.0.0.0:9000') }),
    },
    io,
  );
}

function agentClient(state: string | undefined, network: string | undefined): GatewayClient {
  return new GatewayClient(agentSocketPath(findNodeFolder(state, network, process.env)), 'agent');
}
