import { type ConfigAllowedIp, type ConfigEndpoint, formatConfigEndpoint } from '../../control/config/peer-values.js';
import { formatIpPrefix } from '../../control/ip-text.js';
import { WireGuardError } from '../../core/errors.js';
import type { parseOptions } from '../device/command-options.js';
import { checkOption } from './option-values.js';

export const DEFAULT_KEEPALIVE = '25';

/** Options of the commands that make a client's file: its contents and its destination. */
export const CLIENT_OPTIONS = {
  full: { type: 'boolean', about: 'the client sends everything through the tunnel' },
  split: {
    type: 'boolean',
    about: "only traffic for the server's subnets goes through the tunnel; this is the default",
  },
  reach: { type: 'string', value: 'LIST', about: 'networks behind the server that the client reaches as well' },
  endpoint: { type: 'string', value: 'HOST:PORT', about: 'where the client reaches the server' },
  dns: { type: 'string', value: 'LIST', about: "the client's name servers and search domains" },
  keepalive: {
    type: 'string',
    value: 'SECONDS',
    about: `default ${DEFAULT_KEEPALIVE}; "off" for a client that is not behind NAT`,
    choices: [DEFAULT_KEEPALIVE, 'off'],
  },
  'public-key': { type: 'string', value: 'KEY', about: 'the client keeps its own private key' },
  'no-preshared-key': {
    type: 'boolean',
    about: 'omit the second secret, which protects against quantum computers',
  },
  qr: { type: 'boolean', about: "a QR code in the terminal in place of the client's file" },
  'qr-file': { type: 'string', value: 'FILE', about: 'a QR code as a picture, .png or .svg', kinds: ['file'] },
  output: { type: 'string', value: 'FILE', about: "a file for the client's configuration", kinds: ['file'] },
  force: { type: 'boolean', about: 'replace the files of --output and --qr-file if they exist' },
} as const;

export type ClientOptionValues = ReturnType<typeof parseOptions<typeof CLIENT_OPTIONS>>['values'];

/** The user's choices; `undefined`: the notes of the peer decide, then the defaults of the server. */
export interface ClientWishes {
  /** Send everything through the tunnel, not only traffic for the server's subnets. */
  readonly isFull: boolean | undefined;
  /** Networks that go through the tunnel besides the server's subnets. */
  readonly reach: readonly string[] | undefined;
  /** The client's own key; `undefined`: a new key is made. */
  readonly publicKey: string | undefined;
  readonly hasPresharedKey: boolean;
  readonly endpoint: string | undefined;
  readonly dns: string | undefined;
  readonly persistentKeepalive: number | undefined;
}

/** @throws {WireGuardError} ERR_USAGE, ERR_VALUE */
export function readClientWishes(values: ClientOptionValues): ClientWishes {
  refusePairs(values);
  const { endpoint, dns, keepalive } = values;
  if (values['public-key'] !== undefined) checkOption('--public-key', 'PublicKey', values['public-key']);
  if (dns !== undefined) checkOption('--dns', 'DNS', dns);
  return {
    isFull: values.full === true ? true : values.split === true ? false : undefined,
    reach: readPrefixes('--reach', values.reach),
    publicKey: values['public-key'],
    hasPresharedKey: values['no-preshared-key'] !== true,
    endpoint: endpoint === undefined ? undefined : readEndpoint(endpoint),
    dns,
    persistentKeepalive:
      keepalive === undefined ? undefined : checkOption('--keepalive', 'PersistentKeepalive', keepalive),
  };
}

/** Reads a list of ranges. @throws {WireGuardError} ERR_VALUE */
export function readPrefixes(option: string, text: string | undefined): string[] | undefined {
  if (text === undefined) return undefined;
  return checkOption<ConfigAllowedIp[]>(option, 'AllowedIPs', text).map((prefix) => formatIpPrefix(prefix));
}

/** Reads HOST:PORT. @throws {WireGuardError} ERR_VALUE */
export function readEndpoint(text: string): string {
  return formatConfigEndpoint(checkOption<ConfigEndpoint>('--endpoint', 'Endpoint', text));
}

function refusePairs(values: ClientOptionValues): void {
  const refuse = (message: string) => {
    throw new WireGuardError('ERR_USAGE', message);
  };
  if (values.full === true && values.split === true) refuse('--full or --split, not both');
  if (values.full === true && values.reach !== undefined)
    refuse('--full or --reach, not both: --full reaches everything');
  const wantsCode = values.qr === true || values['qr-file'] !== undefined;
  if (values['public-key'] !== undefined && wantsCode) {
    refuse('--public-key and a QR code, not both: the code would lack the private key, and no app could import it');
  }
}
