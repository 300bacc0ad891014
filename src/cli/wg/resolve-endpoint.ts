import { normalizeScopedAddress } from '../../control/scoped-address.js';
import { parseServicePort } from '../../control/service-port.js';
import { parseUnsignedLong } from '../../control/unsigned-long.js';
import { SystemZoneNames } from '../../control/zone-names.js';
import { parseLooseIpv4 } from './c-text.js';
import { NOT_A_SERVICE, NOT_KNOWN } from './port-argument.js';
import { type WgContext, WgFailure } from './wg-context.js';

const DEFAULT_RETRIES = 15;
const MAX_RETRIES = 0x7fff_ffffn;
const FIRST_DELAY_MS = 1_000;
const MAX_DELAY_MS = 20_000;

/** A longer name is invalid (RFC 1035 §2.3.4). */
const MAX_HOST_BYTES = 254;

/** Why a name was not resolved, in the C library's words. */
interface LookupFailure {
  readonly message: string;
  /** A retry would not help. */
  readonly isPermanent: boolean;
}

/** Failures by the number that libuv gives each answer of getaddrinfo(3). */
const FAILURES: ReadonlyMap<number, LookupFailure> = new Map([
  [-3000, { message: 'Address family for hostname not supported', isPermanent: false }],
  [-3001, { message: 'Temporary failure in name resolution', isPermanent: false }],
  [-3004, { message: 'Non-recoverable failure in name resolution', isPermanent: true }],
  [-3005, { message: 'ai_family not supported', isPermanent: false }],
  [-3006, { message: 'Memory allocation failure', isPermanent: false }],
  [-3007, { message: 'No address associated with hostname', isPermanent: true }],
  [-3008, { message: NOT_KNOWN, isPermanent: true }],
]);

const UNKNOWN: LookupFailure = { message: NOT_KNOWN, isPermanent: true };

/**
 * Turns `HOST:PORT` into address and port. Failures that may pass are retried, after 1 s, then
 * after 6/5 of the last delay, at most 20 s: WG_ENDPOINT_RESOLUTION_RETRIES times, 15 if it is unset.
 *
 * @throws {WgFailure}
 */
export async function resolveEndpoint(context: WgContext, text: string): Promise<string> {
  const retries = parseRetries(context.io.env['WG_ENDPOINT_RESOLUTION_RETRIES']);
  const { host, service } = splitEndpoint(text);
  for (let attempt = 0, delayMs = FIRST_DELAY_MS; ; attempt++) {
    const found = await lookup(context, host, service);
    if (typeof found === 'string') return found;
    if (found.isPermanent || attempt >= retries) throw new WgFailure(`${found.message}: \`${text}'`);

    const seconds = (delayMs / 1_000).toFixed(2);
    context.io.writeError(`${found.message}: \`${text}'. Trying again in ${seconds} seconds...\n`);
    await context.sleep(delayMs);
    delayMs = Math.min(MAX_DELAY_MS, (delayMs * 6) / 5);
  }
}

function parseRetries(text: string | undefined): number {
  if (text === undefined) return DEFAULT_RETRIES;
  if (text === 'infinity') return Number.POSITIVE_INFINITY;
  const retries = text === '' ? 0n : parseUnsignedLong(text);
  if (retries !== undefined && retries <= MAX_RETRIES) return Number(retries);
  throw new WgFailure(`Unable to parse WG_ENDPOINT_RESOLUTION_RETRIES: \`${text}'`, { isWhole: true });
}

function splitEndpoint(text: string): { host: string; service: string } {
  if (text === '') throw new WgFailure('Unable to parse empty endpoint');
  if (!text.startsWith('[')) return splitAt(text, text.lastIndexOf(':'), 0, 0);

  const brace = text.indexOf(']');
  if (brace < 0) throw new WgFailure(`Unable to find matching brace of endpoint: \`${text}'`);
  return splitAt(text, text[brace + 1] === ':' ? brace + 1 : -1, 1, 1);
}

function splitAt(text: string, colon: number, before: number, behind: number): { host: string; service: string } {
  if (colon < 0 || colon === text.length - 1) throw new WgFailure(`Unable to find port of endpoint: \`${text}'`);
  return { host: text.slice(before, colon - behind), service: text.slice(colon + 1) };
}

async function lookup({ isStock }: WgContext, host: string, service: string): Promise<string | LookupFailure> {
  const port = isStock ? parseServicePort(service) : parsePort(service);
  if (port === undefined) return { message: NOT_A_SERVICE, isPermanent: !isStock };
  if (isStock && host === '*') return service === '*' ? UNKNOWN : `[::1]:${port}`;
  const address = normalizeScopedAddress(host, new SystemZoneNames()) ?? (await lookupName(host, isStock));
  if (typeof address !== 'string') return address;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function parsePort(text: string): number | undefined {
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : undefined;
}

async function lookupName(host: string, isStock: boolean): Promise<string | LookupFailure> {
  if (!(await isHostName(host, isStock))) return UNKNOWN;
  const dns = await import('node:dns/promises');
  try {
    return (await dns.lookup(host, { verbatim: true })).address;
  } catch (error) {
    if (!(error instanceof Error) || !('errno' in error)) throw error;
    return FAILURES.get(Number(error.errno)) ?? { message: 'System error', isPermanent: false };
  }
}

/**
 * Tests whether the system may look the name up. `wg` finds no names in other scripts; Node does, but would also read
 * digits of other scripts as an address.
 */
async function isHostName(host: string, isStock: boolean): Promise<boolean> {
  if (host === '' || Buffer.byteLength(host) > MAX_HOST_BYTES || /[%\0]/.test(host)) return false;
  if (!/[^ -~]/.test(host)) return true;
  if (isStock) return false;
  const { domainToASCII } = await import('node:url');
  return parseLooseIpv4(domainToASCII(host)) === undefined && domainToASCII(host) !== '';
}
