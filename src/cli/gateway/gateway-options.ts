import { parseIpAddress, parseIpRange } from '../../control/ip-text.js';
import type { IpPrefix } from '../../core/configuration.js';
import { WireGuardError } from '../../core/errors.js';
import type { Opening } from '../../gateway/gateway-engine.js';

const MAX_PORT = 65_535;
const MANY = { type: 'string', multiple: true } as const;

export const GATEWAY_OPTIONS = {
  state: {
    type: 'string',
    value: 'FOLDER',
    about: "keys and state; default: wiretype/gateway in the user's state directory",
  },
  endpoint: {
    type: 'string',
    value: 'HOST[:PORT]',
    about: 'where devices reach the gateway; first run only, later in the settings',
  },
  port: { type: 'string', value: 'PORT', about: 'the UDP port of WireGuard; first run only' },
  page: { ...MANY, value: '[HOST:]PORT', about: 'serve the page there; default: 127.0.0.1:8080', choices: ['8080'] },
  'tls-cert': {
    type: 'string',
    value: 'FILE',
    about: 'the certificate of the page, PEM, with its chain',
    kinds: ['file'],
  },
  'tls-key': { type: 'string', value: 'FILE', about: 'its key; both are read again when they change', kinds: ['file'] },
  'host-name': { ...MANY, value: 'NAME', about: 'a name that the page is asked for by' },
  'oidc-issuer': { type: 'string', value: 'URL', about: 'an OpenID provider that people sign in by' },
  'oidc-client-id': { type: 'string', value: 'ID', about: 'the name of the gateway there' },
  'oidc-client-secret-file': {
    type: 'string',
    value: 'FILE',
    about: 'its secret; or in WIRETYPE_OIDC_CLIENT_SECRET',
    kinds: ['file'],
  },
  'oidc-name': { type: 'string', value: 'NAME', about: 'the name of the provider on the page; default: its host' },
  'oidc-role': { type: 'string', value: 'ROLE', about: 'let people in who are not known: viewer or member' },
  'oidc-domain': { ...MANY, value: 'DOMAIN', about: 'only those with a verified address there' },
  'trusted-proxy': {
    ...MANY,
    value: 'CIDR',
    about: 'a reverse proxy whose X-Forwarded-For, -Proto and -Host are believed',
  },
  allow: {
    ...MANY,
    value: 'CIDR[:PORT]',
    about: 'open what is denied by default, such as 10.0.0.5:22, unless a rule denies it',
  },
  interfaces: {
    type: 'boolean',
    about: 'as root: show the interfaces of wiretyped and the kernel too, with their peers; make no first device',
  },
  tun: { type: 'boolean', about: 'as root: let the kernel carry the traffic, by a TUN and masquerade of nftables' },
  config: {
    type: 'string',
    value: 'FILE',
    about: 'make the gateway what FILE declares, at its start',
    kinds: ['file'],
  },
  'dry-run': { type: 'boolean', about: 'with apply: show what would change' },
  tag: { ...MANY, value: 'TAG', about: 'with add: a tag of the device' },
  expires: { type: 'string', value: 'DAYS', about: 'with add: the device ends after so many days' },
  'public-key': { type: 'string', value: 'KEY', about: 'with add: the key of a device that keeps its private key' },
  up: { type: 'string', value: 'MBIT', about: 'with limit: most from the device, in Mbit/s; 0: no bound' },
  down: { type: 'string', value: 'MBIT', about: 'with limit: most to the device, in Mbit/s; 0: no bound' },
  quota: { type: 'string', value: 'GB', about: 'with limit: most in a month, in GB; 0: no bound' },
  output: {
    type: 'string',
    short: 'o',
    value: 'FILE',
    about: 'with add, qr, export, backup: write this file',
    kinds: ['file'],
  },
  scope: { ...MANY, value: 'SCOPE', about: 'with token: what it may do, such as devices:read' },
  once: { type: 'boolean', about: 'show it once: connect a device of this program, say what happened, and end' },
  json: { type: 'boolean', about: 'as JSON; schema/gateway.json in the package describes the devices of list' },
} as const;

/** Reads `CIDR` or `CIDR:PORT`. @throws {WireGuardError} ERR_VALUE */
export function parseOpening(text: string): Opening {
  const [, ofV6, portOfV6] = /^\[(.+)\](?::(\d{1,5}))?$/.exec(text) ?? [];
  const [, ofV4, portOfV4] = /^([0-9./]+)(?::(\d{1,5}))?$/.exec(text) ?? [];
  const range = ofV6 ?? ofV4 ?? text;
  const prefix = parseIpRange(range);
  const port = portOfV6 ?? portOfV4;
  if (prefix === undefined || Number(port ?? 1) > MAX_PORT)
    throw new WireGuardError(
      'ERR_VALUE',
      `--allow ${text}: an address or range is expected, as in 10.0.0.5:22 or [fd00::/8]:22`,
    );
  return port === undefined ? { prefix } : { prefix, port: Number(port) };
}

/** @throws {WireGuardError} ERR_VALUE */
export function parseProxy(text: string): IpPrefix {
  const prefix = parseIpRange(text);
  if (prefix !== undefined) return prefix;
  throw new WireGuardError('ERR_VALUE', `--trusted-proxy ${text}: an address or range is expected, as in 10.0.0.0/8`);
}

/** Reads where devices reach a gateway, `HOST` or `HOST:PORT`. @throws {WireGuardError} ERR_VALUE */
export function parseEndpointOption(text: string): string {
  const [, port] = /^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?$/.exec(text) ?? [undefined, '0'];
  const isAddress = parseIpAddress(text) !== undefined;
  if (!isAddress && (Number(port ?? 1) < 1 || Number(port ?? 1) > MAX_PORT))
    throw new WireGuardError(
      'ERR_VALUE',
      `--endpoint ${text}: a name or an address is expected, with or without a port, as in vpn.example.net:51820`,
    );
  return text;
}

/** Reads the port of WireGuard. @throws {WireGuardError} ERR_VALUE */
export function parsePortOption(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= MAX_PORT) return port;
  throw new WireGuardError('ERR_VALUE', `--port ${text}: a number from 1 to ${MAX_PORT} is expected`);
}

/** Reads the place of a page. @throws {WireGuardError} ERR_VALUE */
export function parsePageAddress(text: string): { readonly host: string; readonly port: number } {
  return parseListenOption('page', text, '0.0.0.0:8080');
}

/** Reads `PORT` or `HOST:PORT`; the host is this one alone by default. @throws {WireGuardError} ERR_VALUE */
export function parseListenOption(
  option: string,
  text: string,
  example: string,
): { readonly host: string; readonly port: number } {
  const [, v6, name, port] = /^(?:\[(.+)\]:|([^:]+):)?(\d{1,5})$/.exec(text) ?? [];
  if (port === undefined || Number(port) > MAX_PORT)
    throw new WireGuardError(
      'ERR_VALUE',
      `--${option} ${text}: a port is expected, with or without a host, as in ${example}`,
    );
  return { host: v6 ?? name ?? '127.0.0.1', port: Number(port) };
}

/** Reads a number of 0 or more. @throws {WireGuardError} ERR_VALUE */
export function parseAmount(option: string, text: string): number {
  const amount = Number(text);
  if (text === '' || !Number.isFinite(amount) || amount < 0)
    throw new WireGuardError('ERR_VALUE', `--${option} ${text}: a number of 0 or more is expected`);
  return amount;
}
