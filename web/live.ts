import { signal } from '@preact/signals';

import type { DeviceBody } from '../src/server/operations/device-schemas.js';
import { call } from './api.js';

/** All devices by id, as they are at this moment. */
export const devices = signal<ReadonlyMap<string, DeviceBody>>(new Map());
export const isLoaded = signal(false);
export const isConnected = signal(true);
/** What the clock of the gateway is ahead of ours. */
export const clockOffsetMs = signal(0);
/** Counts up when rules, settings or refusals changed. */
export const changes = signal(0);
/** Code of the error by which the gateway keeps no changes; empty: it keeps them. */
export const storeProblem = signal('');
/** Ticks while the page is open, for times in words. */
export const nowUnixMs = signal(Date.now());

let source: EventSource | undefined;

/** Loads everything, and follows it by one stream of events. */
export async function follow(): Promise<void> {
  if (source !== undefined) return;
  source = new EventSource('api/v1/events');
  source.addEventListener('hello', () => {
    isConnected.value = true;
    void load();
    void loadStatus();
  });
  source.addEventListener('error', () => {
    isConnected.value = false;
  });
  source.addEventListener('device-changed', (event) => put(JSON.parse(event.data) as DeviceBody));
  source.addEventListener('device-removed', (event) => forget((JSON.parse(event.data) as { id: string }).id));
  source.addEventListener('store-changed', () => void loadStatus());
  for (const kind of ['denied', 'rules-changed', 'settings-changed'])
    source.addEventListener(kind, () => {
      changes.value++;
    });
  setInterval(() => {
    nowUnixMs.value = Date.now() + clockOffsetMs.value;
  }, 5_000);
}

export function stopFollowing(): void {
  source?.close();
  source = undefined;
  devices.value = new Map();
  isLoaded.value = false;
}

export function put(device: DeviceBody): void {
  devices.value = new Map(devices.value).set(device.id, device);
}

export function forget(id: string): void {
  const rest = new Map(devices.value);
  rest.delete(id);
  devices.value = rest;
}

async function load(): Promise<void> {
  const answer = await call<{ devices: DeviceBody[]; nowUnixMs: number }>('GET', '/devices');
  clockOffsetMs.value = answer.nowUnixMs - Date.now();
  nowUnixMs.value = answer.nowUnixMs;
  devices.value = new Map(answer.devices.map((device) => [device.id, device]));
  isLoaded.value = true;
}

/** People without the right to see the state of the gateway do without it. */
async function loadStatus(): Promise<void> {
  const status = await call<{ storeProblem?: string }>('GET', '/status').catch(() => undefined);
  storeProblem.value = status?.storeProblem ?? '';
}
