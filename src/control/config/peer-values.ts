import type { AllowedIpChange } from '../../core/configuration.js';
import { parseIpAddress } from '../ip-text.js';
import { parseServicePort } from '../service-port.js';
import {
  type ConfigFault,
  type ConfigParser,
  listItems,
  parsePrefix,
  type Report,
  whole,
  whyNotPrefix,
} from './config-values.js';

/** One item of AllowedIPs. */
export interface ConfigAllowedIp extends AllowedIpChange {
  /** The item as written, without white space. */
  readonly text: string;
  /** The item is written with `+` or `-` and changes the peer's list instead of replacing it. */
  readonly isIncremental: boolean;
}

/** Where a peer is reached: host and port. The host is a name, an IPv4 address, or an IPv6 address without brackets. */
export interface ConfigEndpoint {
  readonly host: string;
  /** 1–65,535; 0 where a file is read as `wg` reads it: nothing is sent before a message arrived from the peer. */
  readonly port: number;
}

const HOST_NAME = /^(?!-)[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?$/;
const SCHEME = /^[a-z][a-z0-9+.-]*:\/\//i;
const MAX_HOST_NAME = 254;

export const parseAllowedIps: ConfigParser<ConfigAllowedIp[]> = (value, report) => {
  const allowedIps: ConfigAllowedIp[] = [];
  if (value === '') report({ ...whole(value), message: 'the list is empty: leave the line out' });
  for (const { text, where } of listItems(value)) {
    const sign = text.startsWith('+') || text.startsWith('-') ? text[0] : undefined;
    const prefixText = sign === undefined ? text : text.slice(1);
    const prefix = parsePrefix(prefixText);
    if (prefix === undefined) {
      report({ ...where, message: whyNotPrefix(prefixText) });
      continue;
    }
    if (hasHostBits(prefix.address, prefix.prefixLength)) report({ ...where, ...hostBitsFault(prefixText) });
    allowedIps.push({ ...prefix, text, isRemoval: sign === '-', isIncremental: sign !== undefined });
  }
  return allowedIps;
};

export const parseEndpointValue: ConfigParser<ConfigEndpoint> = (value, report) => {
  const text = value.replace(/[ \t\r\v\f]+/g, '');
  if (SCHEME.test(text)) return fail(value, report, 'an endpoint has no scheme such as "http://": it is HOST:PORT');
  const colon = text.lastIndexOf(':');
  if (colon < 0 || text.endsWith(']')) {
    return fail(value, report, 'the port is missing: an endpoint is HOST:PORT or [IPV6]:PORT');
  }
  const [hostText, portText] = [text.slice(0, colon), text.slice(colon + 1)];
  const host = parseHost(hostText) ?? parseHostAsWg(hostText);
  if (host === undefined) return fail(value, report, whyNotHost(hostText));

  const isPlainPort = /^[0-9]{1,5}$/.test(portText) && Number(portText) >= 1 && Number(portText) <= 65_535;
  const port = isPlainPort ? Number(portText) : portText === '' ? undefined : parseServicePort(portText);
  const taken = { ...whole(value), isTakenByWg: port !== undefined };
  if (parseHost(hostText) === undefined) report({ ...taken, message: whyNotHost(hostText) });
  else if (!isPlainPort) report({ ...taken, message: 'the port is not a number from 1 to 65535' });
  return port === undefined ? undefined : { host, port };
};

/** Writes what `parseEndpointValue` reads. */
export function formatConfigEndpoint({ host, port }: ConfigEndpoint): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

export function hasHostBits(address: Uint8Array, prefixLength: number): boolean {
  for (let bit = prefixLength; bit < 8 * address.length; bit++) {
    if (((address[bit >> 3]! >> (7 - (bit & 7))) & 1) === 1) return true;
  }
  return false;
}

function hostBitsFault(text: string): Pick<ConfigFault, 'severity' | 'message' | 'advice'> {
  return {
    severity: 'warning',
    message: `"${text}" has bits set behind its prefix length: they are ignored`,
    advice: 'Write the first address of the range, or the length of a single address (/32, /128).',
  };
}

function parseHost(text: string): string | undefined {
  if (text.startsWith('[') && text.endsWith(']')) {
    const host = text.slice(1, -1);
    return parseIpAddress(host.replace(/%[^%]+$/, ''))?.length === 16 ? host : undefined;
  }
  return text.length <= MAX_HOST_NAME && HOST_NAME.test(text) ? text : undefined;
}

/** Reads the unintended forms of a host that `wg` accepts nevertheless. */
function parseHostAsWg(text: string): string | undefined {
  const isBracketed = text.startsWith('[') && text.endsWith(']');
  const host = isBracketed ? text.slice(1, -1) : text;
  if (parseIpAddress(host.replace(/%[^%]+$/, '')) !== undefined) return host;
  return isBracketed ? parseHost(host) : undefined;
}

function whyNotHost(text: string): string {
  if (text === '') return 'the host is missing: an endpoint is HOST:PORT or [IPV6]:PORT';
  if (text.includes(':')) return 'the host is not an IPv6 address in brackets, as in [2001:db8::1]:51820';
  return 'the host is neither a name nor an address';
}

function fail(value: string, report: Report, message: string): undefined {
  report({ ...whole(value), message });
}
