import { promises as dns, type LookupAddress } from 'node:dns';
import { setTimeout as sleep } from 'node:timers/promises';
import { WireGuardError } from '../core/errors.js';
import type { Endpoint } from '../wire/endpoint.js';
import type { ConfigEndpoint } from './config/peer-values.js';
import { parseEndpoint } from './endpoint-text.js';
import { throwIfInterrupted } from './interrupted.js';
import { parseIpAddress } from './ip-text.js';
import { SystemZoneNames } from './zone-names.js';

const DEFAULT_RETRIES = 15;
const FIRST_DELAY_MS = 1_000;
const DELAY_GROWTH = 6 / 5;
const MAX_DELAY_MS = 20_000;

/** Answers that do not change when the look-up is retried. */
const PERMANENT: ReadonlySet<string> = new Set(['ENOTFOUND', 'EAI_FAIL', 'EAI_NODATA', 'EAI_NONAME']);

/** Finds all addresses of a name, the best first. */
export type Lookup = (host: string) => Promise<readonly LookupAddress[]>;

/** Options for retrying look-ups of names. */
export interface NameOptions {
  /** Further attempts after a transient failure, such as a network that is not up. */
  readonly retries: number;
  readonly interruption: AbortSignal;
  warn(text: string): void;
  readonly lookup?: Lookup;
  /** Waits, or throws ERR_INTERRUPTED. */
  readonly pause?: typeof pause;
}

/**
 * Reads the number of retries, as `wg` does: 15, the user's number, or infinity.
 *
 * @throws {WireGuardError} ERR_USAGE
 *
 * Source: wg(8) WG_ENDPOINT_RESOLUTION_RETRIES.
 */
export function resolutionRetries(environment: NodeJS.ProcessEnv): number {
  const text = environment['WG_ENDPOINT_RESOLUTION_RETRIES'];
  if (text === undefined || text === '') return DEFAULT_RETRIES;
  if (text === 'infinity') return Number.POSITIVE_INFINITY;
  if (/^[0-9]{1,9}$/.test(text)) return Number(text);
  throw new WireGuardError('ERR_USAGE', `WG_ENDPOINT_RESOLUTION_RETRIES: neither a number nor "infinity": ${text}`);
}

/** @returns Whether the endpoint of a file is a name, not an address. */
export function isHostName({ host }: ConfigEndpoint): boolean {
  return parseIpAddress(host.replace(/%.*$/, '')) === undefined;
}

/**
 * Turns the endpoint of a file into an address, by the system's resolver if it is a name.
 *
 * @throws {WireGuardError} ERR_NAME_RESOLUTION, ERR_INTERRUPTED
 */
export async function resolveEndpoint(endpoint: ConfigEndpoint, options: NameOptions): Promise<Endpoint> {
  const host = isHostName(endpoint) ? (await resolveName(endpoint.host, options))[0]!.address : endpoint.host;
  const resolved = toEndpoint(host, endpoint.port);
  if (resolved === undefined) throw new WireGuardError('ERR_NAME_RESOLUTION', `${host}: there is no such interface`);
  return resolved;
}

/** @returns `undefined` if the address names a zone that does not exist. */
export function toEndpoint(address: string, port: number): Endpoint | undefined {
  return parseEndpoint(address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`, new SystemZoneNames());
}

/** @returns At least one address. @throws {WireGuardError} ERR_NAME_RESOLUTION, ERR_INTERRUPTED */
export async function resolveName(host: string, options: NameOptions): Promise<readonly LookupAddress[]> {
  const lookup = options.lookup ?? systemLookup;
  let delayMs = FIRST_DELAY_MS;
  for (let attempt = 0; ; attempt++) {
    throwIfInterrupted(options.interruption);
    try {
      return await lookup(host);
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error)) throw error;
      if (PERMANENT.has(String(error.code)) || attempt >= options.retries) {
        const why = PERMANENT.has(String(error.code)) ? 'this name has no address' : error.message;
        throw new WireGuardError('ERR_NAME_RESOLUTION', `${host}: ${why}`, { cause: error });
      }
      options.warn(`${host} cannot be looked up (${error.code}); once more in ${(delayMs / 1_000).toFixed(2)} seconds`);
    }
    await (options.pause ?? pause)(delayMs, options.interruption);
    delayMs = Math.min(delayMs * DELAY_GROWTH, MAX_DELAY_MS);
  }
}

async function systemLookup(host: string): Promise<readonly LookupAddress[]> {
  return await dns.lookup(host, { all: true, verbatim: true });
}

async function pause(ms: number, interruption: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal: interruption });
  } catch (error) {
    throwIfInterrupted(interruption);
    throw error;
  }
}
