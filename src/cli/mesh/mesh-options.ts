const MANY = { type: 'string', multiple: true } as const;

export const MESH_OPTIONS = {
  state: {
    type: 'string',
    value: 'FOLDER',
    about: 'keys and state of the node, or of the hub; default: wiretype/mesh/NETWORK or wiretype/hub',
  },
  name: {
    type: 'string',
    value: 'NAME',
    about: 'with join: the name of this host, default: its host name; with invite: the name it gets',
  },
  rootless: { type: 'boolean', about: 'without root and without an interface: for the library and the proxy' },
  proxy: {
    type: 'string',
    value: '[HOST:]PORT',
    about: 'with --rootless: a SOCKS5 and HTTP proxy whose network names go through the mesh',
  },
  health: {
    type: 'string',
    value: '[HOST:]PORT',
    about: 'serve /healthz there, 200 while the hub or a peer is reached, and /livez, 200 while it runs',
  },
  route: {
    ...MANY,
    value: 'CIDR',
    about: 'offer to lead others there, as root; 0.0.0.0/0 offers an exit. The hub approves it',
  },
  exit: {
    type: 'string',
    value: 'NODE',
    about: 'as root: send everything else out by that node, and nothing elsewhere',
  },
  enrol: { type: 'boolean', about: 'with join: become a node, and leave running it to the service' },
  tag: { ...MANY, value: 'TAG', about: 'with invite, add-device: a tag, which rules can name' },
  uses: { type: 'string', value: 'N', about: 'with invite: so many hosts may use it; needs --ephemeral' },
  ephemeral: { type: 'string', value: 'MINUTES', about: 'with invite: the node is removed after so long away' },
  minutes: { type: 'string', value: 'N', about: 'with invite: it ends then; default: 60' },
  qr: { type: 'boolean', about: 'with add-device: the QR code, even where there is no terminal' },
  'public-key': {
    type: 'string',
    value: 'KEY',
    about: 'with add-device: the key of a device that keeps its private key',
  },
  'hub-exit': { type: 'boolean', about: 'with add-device: all its traffic goes out by the hub' },
  with: { ...MANY, value: 'NODE', about: 'with add-device: a stock node to talk with end to end as well' },
  endpoint: { type: 'string', value: 'ADDRESS:PORT', about: 'with add-device: where it can be reached directly' },
  output: {
    type: 'string',
    short: 'o',
    value: 'FILE',
    about: 'with add-device, export: write this file',
    kinds: ['file'],
  },
  format: {
    type: 'string',
    value: 'FORMAT',
    about: 'with export: wg-quick, json, qr, k8s-secret or ansible-inventory',
    choices: ['wg-quick', 'json', 'qr', 'k8s-secret', 'ansible-inventory'],
  },
  'signing-key': {
    type: 'string',
    value: 'FILE',
    about: 'with sign: the key that hub init --locked wrote',
    kinds: ['file'],
  },
  days: { type: 'string', value: 'N', about: 'with sign: the signatures end then; default: 365' },
  json: { type: 'boolean', about: 'as JSON; schema/mesh.json in the package describes status' },
} as const;
