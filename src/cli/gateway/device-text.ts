import { explainText } from '../../control/explain-text.js';
import type { ReasonCode } from '../../core/session-reason.js';
import type { DeviceBody } from '../../server/operations/device-schemas.js';

const CONDITIONS = {
  online: 'online',
  asleep: 'asleep',
  'never-seen': 'never seen',
  blocked: 'blocked',
  'in-trouble': 'in trouble',
} as const;

const STANDINGS: Readonly<Record<string, string>> = {
  'device-blocked': 'somebody blocked it',
  'device-expired': 'its time is over',
  'quota-used': 'its quota is used up',
  removed: 'it was removed',
};

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'];

/** Writes devices as a table for a terminal. */
export function deviceTable(devices: readonly DeviceBody[], nowUnixMs: number): string {
  if (devices.length === 0) return 'There is no device yet: wiretype gateway add NAME\n';
  const rows = devices.map((device) => [
    device.name,
    device.addresses[0] ?? '',
    CONDITIONS[device.condition],
    device.lastHandshakeUnixMs === undefined ? 'never' : ago(nowUnixMs - device.lastHandshakeUnixMs),
    `${bytes(device.receivedBytes)} up, ${bytes(device.sentBytes)} down`,
    device.tags.join(' '),
  ]);
  const all = [['NAME', 'ADDRESS', 'STATE', 'LAST SEEN', 'TRAFFIC', 'TAGS'], ...rows];
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  return all
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column]!))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

/** Writes why a device is as it is, as a sentence. */
export function reasonSentence({ condition, reason }: DeviceBody): string {
  const standing = STANDINGS[reason.code];
  if (standing !== undefined) return standing;
  if (condition === 'asleep' || condition === 'online') return '';
  return explainText({ code: reason.code as ReasonCode, seconds: reason.seconds });
}

export function conditionText({ condition }: Pick<DeviceBody, 'condition'>): string {
  return CONDITIONS[condition];
}

/** Writes bytes with three digits, as people say them. */
export function bytes(count: number): string {
  const power = count < 1_000 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(count) / 3));
  return `${Number((count / 1_000 ** power).toPrecision(3))} ${UNITS[power]}`;
}

function ago(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}
