import type { DnsBackendName } from './dns/dns-settings.js';
import { parsePrefix } from './prefix.js';
import type { TunnelRecord } from './recorded-tunnel.js';

const DNS_BACKENDS: ReadonlySet<string> = new Set<DnsBackendName>(['resolvectl', 'resolvconf', 'resolv.conf']);
const MAX_TABLE = 0xffff_ffff;

type Check = (value: unknown) => boolean;

/** The checks of each field: a record outlives the program that wrote it. */
const CHECKS: { readonly [Key in keyof Required<TunnelRecord>]: Check } = {
  table: (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= MAX_TABLE,
  hasChosenMark: isBoolean,
  diverted: (value) => isListOf(value, isFamily),
  bypassing: (value) => isListOf(value, isFamily),
  hooks: (value) => isObject(value) && Object.values(value).every((state) => state === 'begun' || state === 'done'),
  dns: (value) => isText(value) && DNS_BACKENDS.has(value),
  dnsText: isText,
  addresses: (value) => isListOf(value, isPrefix),
  foundMtu: (value) => isObject(value) && Number.isInteger(value['bytes']) && isText(value['inputs']),
  routes: (value) => isListOf(value, isPrefix),
  routeTable: isText,
  endpoints: isTextByKey,
  lookedUp: isTextByKey,
};

/** @returns The valid fields; `undefined` for a text that is no record. */
export function readRecord(text: string): TunnelRecord | undefined {
  const value = parseJson(text);
  if (!isObject(value)) return undefined;
  const fields = Object.entries(CHECKS).filter(([key, check]) => check(value[key]));
  return Object.fromEntries(fields.map(([key]) => [key, value[key]]));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isListOf(value: unknown, check: Check): boolean {
  return Array.isArray(value) && value.every(check);
}

function isTextByKey(value: unknown): boolean {
  return isObject(value) && Object.values(value).every(isText);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isBoolean(value: unknown): boolean {
  return typeof value === 'boolean';
}

function isFamily(value: unknown): boolean {
  return value === 4 || value === 6;
}

function isPrefix(value: unknown): boolean {
  return isText(value) && parsePrefix(value) !== undefined;
}
