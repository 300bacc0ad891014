import { readFileSync } from 'node:fs';
import { LineCounter, parseDocument, stringify } from 'yaml';

import { WireGuardError } from '../../core/errors.js';
import type { ConfigBody } from '../../server/operations/config-operations.js';

/** A declared configuration, with the lines of its members for messages. */
export interface ConfigFile {
  readonly body: object;
  /** @param path Such as `devices.0.name`. @returns 1 where there is no such place. */
  lineOf(path: string): number;
}

type Writable = Record<string, unknown>;

/**
 * Reads a file of YAML, or of JSON, which is YAML as well. Times stand in it as `expires: 2027-01-31`.
 *
 * @throws {WireGuardError} ERR_CONFIG_FILE: it cannot be read. ERR_VALUE: it is no YAML, or a time is none.
 */
export function readConfigFile(path: string): ConfigFile {
  const lines = new LineCounter();
  const document = parseDocument(readText(path), {
    lineCounter: lines,
    prettyErrors: false,
    maxAliasCount: 100,
  } as object);
  const [error] = document.errors;
  if (error !== undefined)
    throw new WireGuardError('ERR_VALUE', `${path}:${lines.linePos(error.pos[0]).line}: ${error.message}`);
  const body: unknown = document.toJS();
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new WireGuardError('ERR_VALUE', `${path}:1: settings, devices or rules are expected`);
  const lineOf = (place: string): number => {
    const names = place.split('.').map((name) => (/^\d+$/.test(name) ? Number(name) : name));
    for (let length = names.length; length > 0; length--) {
      const node = document.getIn(names.slice(0, length), true) as { range?: [number] } | undefined;
      if (node?.range !== undefined) return lines.linePos(node.range[0]).line;
    }
    return 1;
  };
  return { body: withTimes(body as Writable, (place, detail) => fail(path, lineOf(place), place, detail)), lineOf };
}

/** Writes a configuration as YAML. */
export function configText({ devices = [], ...rest }: ConfigBody): string {
  const shown = devices.map(({ expiresAtUnixMs, ...device }) => ({
    ...device,
    ...(typeof expiresAtUnixMs === 'number' ? { expires: new Date(expiresAtUnixMs).toISOString() } : {}),
  }));
  return stringify({ ...rest, devices: shown }, { lineWidth: 0 });
}

/** Puts milliseconds in the place of `expires`. */
function withTimes(body: Writable, refuse: (place: string, detail: string) => never): Writable {
  const { devices } = body;
  if (!Array.isArray(devices)) return body;
  const timed = devices.map((device: unknown, index) => {
    if (typeof device !== 'object' || device === null || !('expires' in device)) return device;
    const { expires, ...others } = device;
    if (expires === null) return { ...others, expiresAtUnixMs: null };
    const time = typeof expires === 'string' ? Date.parse(expires) : Number.NaN;
    if (Number.isNaN(time)) refuse(`devices.${index}.expires`, 'a time such as 2027-01-31 is expected');
    return { ...others, expiresAtUnixMs: time };
  });
  return { ...body, devices: timed };
}

function fail(path: string, line: number, place: string, detail: string): never {
  throw new WireGuardError('ERR_VALUE', `${path}:${line}: ${place}: ${detail}`);
}

function readText(path: string): string {
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8');
  } catch (cause) {
    throw new WireGuardError('ERR_CONFIG_FILE', `${path}: ${cause instanceof Error ? cause.message : ''}`, { cause });
  }
}
