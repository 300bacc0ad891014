import { closestWord } from '../../control/closest-word.js';
import { WireGuardError } from '../../core/errors.js';
import type { Command } from '../command.js';
import { parseOptions } from '../device/command-options.js';
import type { Manual } from '../manual.js';
import { MESH_OPTIONS } from './mesh-options.js';

const MOST_WORDS = 66;

const MANUAL: Manual = {
  usage: `join INVITATION [--name NAME] [--enrol] [--state FOLDER] [--health [HOST:]PORT] [--route CIDR] [--exit NODE]
join INVITATION --rootless [--proxy [HOST:]PORT]
agent [NETWORK] [--rootless] [--proxy [HOST:]PORT] [--health [HOST:]PORT] [--route CIDR] [--exit NODE]
status [NETWORK] [--json] | rotate [NETWORK] | leave [NETWORK]
invite [--name NAME] [--tag TAG] [--minutes N] [--ephemeral MINUTES] [--uses N]
nodes | explain NODE | revoke NODE | approve NODE [CIDR]|none
add-device NAME [--qr] [--tag TAG] [--with NODE] [--hub-exit] [--endpoint ADDRESS:PORT] [--public-key KEY] [--output FILE]
sign [--signing-key FILE] [--days N]
export [NODE] [--format FORMAT] [--output FILE]`,
  about: `
Joins this host to a network of hosts that are behind NAT, and runs its agent: it talks directly to every node that a direct way is
found to, and through the hub, which cannot read it, to all others. As root there is an interface, wt-NETWORK.

join takes the text that wiretype hub init or wiretype mesh invite printed, once. agent runs a node that has joined; the service
wiretype-mesh@NETWORK does that. From invite on, the actions are for the host of the hub.
`,
  words: [
    {
      name: 'join',
      about: 'makes this host a node, and runs its agent; the other actions are named above',
      choices: [
        'join',
        'agent',
        'status',
        'rotate',
        'leave',
        'invite',
        'nodes',
        'explain',
        'revoke',
        'approve',
        'add-device',
        'sign',
        'export',
      ],
    },
    { name: 'INVITATION', about: 'the text, or - for standard input; without it, that of the environment' },
    { name: 'NETWORK', about: 'the network, where this host has joined several' },
    { name: 'NODE', about: 'a node, by its name or id' },
  ],
  options: MESH_OPTIONS,
  settings: {
    actions: ['join', 'agent'],
    options: ['name', 'rootless', 'proxy', 'health', 'route', 'exit', 'enrol'],
    always: ['state'],
  },
  environment: {
    'WIRETYPE_INVITATION, WIRETYPE_INVITATION_FILE': 'the invitation, or a file with it, for join without one',
    'HTTPS_PROXY, NO_PROXY': 'the proxy by which a hub is reached where UDP is blocked',
    XDG_STATE_HOME: 'the folder above that of the state',
    'WIRETYPE_NO_ADDON=1': 'do without the C addon',
  },
  notes: `
The exit status is 3 when the node was removed from the network, or its invitation is of no use: only a new one helps. docs/mesh.md says who can see what.
`,
  examples: [
    'wiretype mesh join wiretype-invite:TEXT --name laptop',
    'wiretype mesh join wiretype-invite:TEXT --rootless --proxy 1080',
    'wiretype mesh status',
    'wiretype mesh invite --name server --tag web',
    'wiretype mesh add-device phone --qr',
    'wiretype mesh revoke laptop',
  ],
};

/** A node of a mesh, and what the administrator does at its hub. */
export const mesh: Command = {
  name: 'mesh',
  manual: MANUAL,

  async run(args, io) {
    const { values, positionals } = parseOptions(args, MESH_OPTIONS, [1, MOST_WORDS], MANUAL.words);
    const [action, ...words] = positionals;
    const { NODE_ACTIONS } = await import('./node-actions.js');
    const atNode = NODE_ACTIONS[action!];
    if (atNode !== undefined) return await atNode({ words, values }, io);
    const { HUB_ACTIONS } = await import('./hub-actions.js');
    const atHub = HUB_ACTIONS[action!];
    if (atHub !== undefined) return await atHub({ words, values }, io);
    const near = closestWord(action!, [...Object.keys(NODE_ACTIONS), ...Object.keys(HUB_ACTIONS)]);
    const hint = near === undefined ? '' : `; did you mean ${near}?`;
    throw new WireGuardError('ERR_USAGE', `there is no action ${action}${hint}`);
  },
};
