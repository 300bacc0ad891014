import type { IpPrefix } from '../../core/configuration.js';
import { WireGuardError } from '../../core/errors.js';
import { parseIpAddress, parseIpPrefix } from '../ip-text.js';
import { parseKey } from '../key-text.js';
import { parseServicePort } from '../service-port.js';
import { quote } from './secret-text.js';

/** A fault of a value, and its place in the value. */
export interface ConfigFault {
  readonly severity: 'error' | 'warning';
  /** Describes the fault; never repeats a secret. */
  readonly message: string;
  /** The next step, a sentence. */
  readonly advice?: string;
  /** `wg` accepts the value nevertheless, and the parser returns it. */
  readonly isTakenByWg?: boolean;
  /** Index into the value, and the number of faulty characters. */
  readonly at: number;
  readonly length: number;
}

/** Records a fault. A function that throws stops the parser at the first fault. */
export type Report = (fault: ConfigFault) => void;

/** Reads the value of a key. @returns `undefined` after an error was reported, or for a value without content. */
export type ConfigParser<T> = (value: string, report: Report) => T | undefined;

/** An address of the interface, as written and as bytes. A missing length means the address alone. */
export interface ConfigAddress extends IpPrefix {
  readonly text: string;
}

/** The content of the DNS lines: servers by address, and domains to search. */
export interface ConfigDns {
  readonly servers: readonly string[];
  readonly searchDomains: readonly string[];
}

const WHITE_SPACE = /[ \t\r\v\f]+/g;
const KEY_CHARACTERS = 44;
/**
 * Resolvers are shell scripts in part: they must not receive an option, a quote, or anything else that a shell
 * interprets.
 */
const UNSAFE_FOR_SHELLS = /^-|[\p{Cc}\p{Cs}\s"'`$\\<>|&(){}!=]/u;
/** A domain to search, or a routing domain of systemd-resolved. */
const SEARCH_DOMAIN = /^(?:~?\.|(?!-)[\p{L}\p{N}_-]+(?:\.[\p{L}\p{N}_-]+)*\.?)$/u;
const MIN_IPV6_MTU = 1_280;
/** The greatest MTU of a TUN interface. */
const MAX_LINK_MTU_BYTES = 65_535;

export const parseKeyValue: ConfigParser<Uint8Array> = (value, report) => {
  const text = value.replace(WHITE_SPACE, '');
  try {
    return parseKey(text, 'key');
  } catch (error) {
    if (!(error instanceof WireGuardError)) throw error;
    report({ ...whole(value), message: `not a key: ${whyNotKey(text)}` });
    return undefined;
  }
};

export const parseListenPort: ConfigParser<number> = (value, report) => {
  const text = value.replace(WHITE_SPACE, '');
  const message = 'a port is a number from 0 (any free port) to 65535';
  if (/^[0-9]+$/.test(text) && Number(text) <= 65_535) return Number(text);
  const port = text === '' || text === '*' ? undefined : parseServicePort(text);
  report({ ...whole(value), message, isTakenByWg: port !== undefined });
  return port;
};

export const parsePersistentKeepalive: ConfigParser<number> = (value, report) =>
  isOff(value) ? 0 : parseDecimal(value, 65_535, 'seconds are "off" or a number from 0 to 65535', report);

export const parseMtu: ConfigParser<number> = (value, report) => {
  if (value === '') {
    report({ ...whole(value, 'warning'), message: 'there is no number: it is found out, as without this line' });
    return undefined;
  }
  const rule = `an MTU is a number of bytes from 68 to ${MAX_LINK_MTU_BYTES}`;
  const mtu = parseDecimal(value, MAX_LINK_MTU_BYTES, rule, report, 68);
  if (mtu !== undefined && mtu < MIN_IPV6_MTU) {
    report({ ...whole(value, 'warning'), message: `IPv6 does not work with an MTU below ${MIN_IPV6_MTU}` });
  }
  return mtu;
};

/** 0: none. */
export const parseFwMark: ConfigParser<number> = (value, report) => {
  const text = value.replace(WHITE_SPACE, '');
  if (isOff(text)) return 0;

  const mark = /^(?:[0-9]+|0[xX][0-9a-fA-F]+)$/.test(text) ? Number(text) : Number.NaN;
  if (mark <= 0xffff_ffff) return mark;
  report({ ...whole(value), message: 'a mark is "off", a number, or 0x and up to eight hexadecimal digits' });
  return undefined;
};

/** `off`, `auto`, a number, or a name of the system's list of tables. */
export const parseTable: ConfigParser<string> = (value, report) => {
  if (value === '') {
    report({ ...whole(value, 'warning'), message: 'there is no table: it means "auto"' });
    return undefined;
  }
  if (/^[A-Za-z0-9_.-]+$/.test(value)) return value.toLowerCase() === 'off' ? 'off' : value;
  report({ ...whole(value), message: 'a table is "off", "auto", a number or a name' });
  return undefined;
};

export const parseBoolean: ConfigParser<boolean> = (value, report) => {
  const text = value.toLowerCase();
  if (text === 'true' || text === 'false') return text === 'true';
  report({ ...whole(value), message: 'neither "true" nor "false"' });
  return undefined;
};

export const parseCommand: ConfigParser<string> = (value, report) => {
  if (value === '') report({ ...whole(value, 'warning'), message: 'the command is empty' });
  return value;
};

export const parseAddresses: ConfigParser<ConfigAddress[]> = (value, report) => {
  const addresses: ConfigAddress[] = [];
  for (const item of hostItems(value, report)) {
    const prefix = parsePrefix(withPrefixLength(item.text));
    if (prefix === undefined) report({ ...item.where, message: whyNotPrefix(item.text) });
    else addresses.push({ ...prefix, text: item.text });
  }
  return addresses;
};

export const parseDns: ConfigParser<ConfigDns> = (value, report) => {
  const servers: string[] = [];
  const searchDomains: string[] = [];
  for (const { text, where } of hostItems(value, report)) {
    const isServer = /^[0-9.]+$/.test(text) || text.includes(':');
    if (UNSAFE_FOR_SHELLS.test(text)) {
      report({ ...where, message: `${quote(text)} is neither an address nor a domain` });
    } else if (text.includes(';')) {
      report({ ...where, severity: 'warning', message: 'a list is separated by commas: this item is passed over' });
    } else {
      (isServer ? servers : searchDomains).push(text);
      if (isServer && parseIpAddress(text.replace(/%.*/, '')) === undefined) {
        report({ ...where, message: 'not an address of a name server', isTakenByWg: true });
      } else if (!isServer && !SEARCH_DOMAIN.test(text)) {
        report({ ...where, severity: 'warning', message: 'not a domain: the resolver may refuse it' });
      }
    }
  }
  return { servers, searchDomains };
};

/** One item of a list, and its place. */
export interface ListItem {
  readonly text: string;
  readonly where: { readonly severity: 'error'; readonly at: number; readonly length: number };
}

/** Cuts a list at its commas. Items lose all white space; an empty list has no items. */
export function* listItems(value: string): Iterable<ListItem> {
  if (value === '') return;
  let start = 0;
  for (const part of value.split(',')) {
    const text = part.replace(WHITE_SPACE, '');
    const at = start + Math.max(part.search(/[^ \t\r\v\f]/), 0);
    yield { text, where: { severity: 'error', at, length: Math.max(part.trimEnd().length - (at - start), 1) } };
    start += part.length + 1;
  }
}

/** Cuts a list of wg-quick: white space separates its items as commas do, and surplus commas are ignored. */
function* hostItems(value: string, report: Report): Iterable<ListItem> {
  // White space that stands for a comma becomes a comma; places stay.
  for (const item of listItems(value.replace(/([^,\s])[ \t\r\v\f](?=[ \t\r\v\f]*[^,\s])/g, '$1,'))) {
    if (item.text !== '') yield item;
    else report({ ...item.where, severity: 'warning', message: 'an item of the list is empty: it is passed over' });
  }
}

/** Writes a netmask behind an IPv4 address, as in 10.0.0.1/255.255.255.0, as a prefix length. */
function withPrefixLength(text: string): string {
  const [address = '', maskText = ''] = text.split('/', 2);
  const mask = parseIpAddress(maskText);
  if (mask?.length !== 4 || parseIpAddress(address)?.length !== 4) return text;
  const bits = [...mask].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return /^1*0*$/.test(bits) ? `${address}/${bits.replaceAll('0', '').length}` : text;
}

/** Reads `ADDRESS[/LENGTH]`. */
export function parsePrefix(text: string): IpPrefix | undefined {
  if (text.includes('/')) return parseIpPrefix(text);
  const address = parseIpAddress(text);
  return address === undefined ? undefined : { address, prefixLength: 8 * address.length };
}

/** Returns the reason why a text is no address range. */
export function whyNotPrefix(text: string): string {
  if (text === '') return 'an item of the list is empty';
  const [addressText = '', length] = text.split('/', 2);
  const address = parseIpAddress(addressText);
  if (address === undefined) return `${quote(addressText)} is not an IPv4 or IPv6 address`;
  return `${quote(`/${length}`)} is not a prefix length: IPv${address.length === 4 ? '4 has 0 to 32' : '6 has 0 to 128'}`;
}

/** Returns a fault that covers the whole value. */
export function whole<S extends ConfigFault['severity'] = 'error'>(
  value: string,
  severity?: S,
): Pick<ConfigFault, 'at' | 'length'> & { severity: S | 'error' } {
  return { severity: severity ?? 'error', at: 0, length: Math.max(value.length, 1) };
}

function parseDecimal(value: string, max: number, rule: string, report: Report, min = 0): number | undefined {
  const text = value.replace(WHITE_SPACE, '');
  const number = /^[0-9]+$/.test(text) ? Number(text) : Number.NaN;
  if (number >= min && number <= max) return number;
  report({ ...whole(value), message: rule });
  return undefined;
}

function isOff(value: string): boolean {
  return value.replace(WHITE_SPACE, '').toLowerCase() === 'off';
}

function whyNotKey(text: string): string {
  if (text === '') return 'it is empty';
  if (text.length !== KEY_CHARACTERS) return `it has ${text.length} characters, a key has ${KEY_CHARACTERS}`;
  if (!text.endsWith('=')) return 'it does not end with "="';
  if (!/^[A-Za-z0-9+/]{43}=$/.test(text)) return 'it has characters that base64 has not';
  return 'its last character before "=" is not one that 32 bytes can end with: it was cut or mistyped';
}
