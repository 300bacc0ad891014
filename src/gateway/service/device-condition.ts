import type { ReasonCode } from '../../core/session-reason.js';
import type { EngineStatus } from '../gateway-engine.js';
import type { DeviceCondition, DeviceView } from '../gateway-service.js';

/** Reasons that somebody has to do something about. All others end by themselves, with the next packet of the device. */
const TROUBLES: ReadonlySet<ReasonCode> = new Set<ReasonCode>([
  'unusable-key',
  'peer-under-load',
  'replayed-timestamp',
  'flood',
  'wrong-response',
  'forged-initiation',
  'low-order-point',
  'mac1',
  'wrong-key',
  'under-load',
  'rate-limit',
]);

/** Says in one word how a device is, and why. @param wasSeen It has been connected before. */
export function conditionOf(
  { report, reason }: EngineStatus,
  wasSeen: boolean,
): { condition: DeviceCondition; reason: DeviceView['reason'] } {
  if (report.standing !== 'good') return { condition: 'blocked', reason: { code: report.standing, seconds: 0 } };
  if (reason.code === 'session') return { condition: 'online', reason };
  if (TROUBLES.has(reason.code)) return { condition: 'in-trouble', reason };
  return { condition: wasSeen ? 'asleep' : 'never-seen', reason };
}
