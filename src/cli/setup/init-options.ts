import { jsonOption } from '../manual.js';

export const DEFAULT_DNS = '1.1.1.1, 2606:4700:4700::1111';

/** The options of `init`. */
export const INIT_OPTIONS = {
  endpoint: {
    type: 'string',
    value: 'HOST[:PORT]',
    about: "where clients reach this server; default: the host's own address",
  },
  address: {
    type: 'string',
    value: 'LIST',
    about:
      "the server's addresses with prefix lengths; default: a private IPv4 subnet and a unique local IPv6 subnet that " +
      'are not in use',
  },
  port: { type: 'string', value: 'PORT', about: 'default: the first free port from 51820 on' },
  dns: { type: 'string', value: 'LIST', about: `name servers for clients with --full; default ${DEFAULT_DNS}` },
  firewall: {
    type: 'string',
    value: 'nft|iptables',
    about: 'the program that the hooks call; default: the one that this host uses',
    choices: ['nft', 'iptables'],
  },
  out: {
    type: 'string',
    value: 'INTERFACE',
    about: 'the interface by which traffic of peers leaves; default: that of the default route',
  },
  isolate: { type: 'boolean', about: 'peers cannot reach each other, only this host and what it forwards to' },
  'no-forward': { type: 'boolean', about: 'no forwarding: peers reach this host, and what it forwards to anyway' },
  force: {
    type: 'boolean',
    about: 'accept an address, a port or an interface although it is in use, or missing, on this host now',
  },
  ...jsonOption('init'),
} as const;
