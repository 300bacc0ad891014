/** States, people and folders for the tests of the store. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { GatewayDevice, GatewaySettings } from '../../src/gateway/gateway-model.js';
import type { AuditEntry } from '../../src/gateway/gateway-store.js';
import type { Clock } from '../../src/store/clock.js';
import type { Person } from '../../src/store/people-store.js';
import { loadSqlite } from '../../src/store/sqlite.js';

export const SQLITE = await loadSqlite();

/** 2026-11-26, 09:27:17 UTC. */
export const START_UNIX_MS = Date.UTC(2026, 10, 26, 9, 27, 17);

export class VirtualClock implements Clock {
  unixMs = START_UNIX_MS;
  ms = 1_000;

  nowUnixMs(): number {
    return this.unixMs;
  }

  nowMs(): number {
    return this.ms;
  }

  advance(ms: number): void {
    this.unixMs += ms;
    this.ms += ms;
  }
}

/** Runs a test with a folder of its own. */
export async function withFolder(test: (folder: string) => void | Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'wiretype-store-'));
  try {
    await test(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export const SETTINGS: GatewaySettings = {
  endpoint: 'vpn.example.net:51820',
  listenPort: 51_820,
  subnet4: '10.7.0.0/24',
  subnet6: 'fd07::/64',
  dns: [],
  mtu: 1_420,
  persistentKeepaliveSeconds: 25,
  defaultSwitches: { internet: true, lan: false, devices: false },
  timeZone: 'Europe/Berlin',
  language: 'en',
};

/** @param number 0 to 99. */
export function device(number: number, change: Partial<GatewayDevice> = {}): GatewayDevice {
  return {
    id: `d${number}`,
    name: `Phone ${number}`,
    publicKey: keyText(number),
    addresses: [`10.7.0.${number + 2}`],
    tags: ['phones'],
    note: '',
    switches: { internet: true, lan: false, devices: false },
    limits: {},
    isBlocked: false,
    createdAtUnixMs: START_UNIX_MS,
    ...change,
  };
}

/** A public key that is easy to tell from others. */
export function keyText(number: number): string {
  return Buffer.alloc(32, number + 1).toString('base64');
}

export function person(id: string, change: Partial<Person> = {}): Person {
  return {
    id,
    name: id,
    role: 'member',
    recoveryCodeHashes: [],
    isDisabled: false,
    createdAtUnixMs: START_UNIX_MS,
    ...change,
  };
}

export function audit(operation: string, atUnixMs = START_UNIX_MS): AuditEntry {
  return { atUnixMs, actor: 'local', operation, details: {} };
}
