import {
  type ConfigParser,
  parseAddresses,
  parseBoolean,
  parseCommand,
  parseDns,
  parseFwMark,
  parseKeyValue,
  parseListenPort,
  parseMtu,
  parsePersistentKeepalive,
  parseTable,
} from './config-values.js';
import { parseAllowedIps, parseEndpointValue } from './peer-values.js';

/** The two kinds of section. */
export type SectionName = 'Interface' | 'Peer';

/** The properties of one key of the file. */
export interface ConfigKey {
  readonly name: string;
  readonly section: SectionName;
  /** `wg` keys go to the device, `wg-quick` keys configure the host. */
  readonly reader: 'wg' | 'wg-quick';
  /** The key may stand on several lines, all of which count. The last line counts for other keys. */
  readonly isList: boolean;
  readonly isSecret: boolean;
  /** `#` is part of the value: it may be meant for the shell. */
  readonly keepsHash: boolean;
  readonly parse: ConfigParser<unknown>;
}

const PLAIN = { isList: false, isSecret: false, keepsHash: false } as const;
const WG_INTERFACE = { ...PLAIN, section: 'Interface', reader: 'wg' } as const;
const WG_PEER = { ...PLAIN, section: 'Peer', reader: 'wg' } as const;
const QUICK = { ...PLAIN, section: 'Interface', reader: 'wg-quick' } as const;
const HOOK = { ...QUICK, isList: true, keepsHash: true, parse: parseCommand } as const;

/**
 * Every key that `wg` and `wg-quick` know, in the order in which they are usually written.
 *
 * Source: wg(8) "CONFIGURATION FILE FORMAT", wg-quick(8) "CONFIGURATION".
 */
export const CONFIG_KEYS: readonly ConfigKey[] = [
  { ...QUICK, name: 'Address', isList: true, parse: parseAddresses },
  { ...WG_INTERFACE, name: 'ListenPort', parse: parseListenPort },
  { ...WG_INTERFACE, name: 'PrivateKey', isSecret: true, parse: parseKeyValue },
  { ...WG_INTERFACE, name: 'FwMark', parse: parseFwMark },
  { ...QUICK, name: 'DNS', isList: true, parse: parseDns },
  { ...QUICK, name: 'MTU', parse: parseMtu },
  { ...QUICK, name: 'Table', parse: parseTable },
  { ...HOOK, name: 'PreUp' },
  { ...HOOK, name: 'PostUp' },
  { ...HOOK, name: 'PreDown' },
  { ...HOOK, name: 'PostDown' },
  { ...QUICK, name: 'SaveConfig', parse: parseBoolean },
  { ...WG_PEER, name: 'PublicKey', parse: parseKeyValue },
  { ...WG_PEER, name: 'PresharedKey', isSecret: true, parse: parseKeyValue },
  { ...WG_PEER, name: 'AllowedIPs', isList: true, parse: parseAllowedIps },
  { ...WG_PEER, name: 'Endpoint', parse: parseEndpointValue },
  { ...WG_PEER, name: 'PersistentKeepalive', parse: parsePersistentKeepalive },
];

const BY_LOWER_CASE = new Map(CONFIG_KEYS.map((key) => [key.name.toLowerCase(), key]));

/** Finds a key however its letters are written; `undefined` for an unknown key. */
export function lookupKey(name: string): ConfigKey | undefined {
  return BY_LOWER_CASE.get(name.toLowerCase());
}
