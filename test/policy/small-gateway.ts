/** A gateway with a few devices, and packets to and from them. */
import { PacketBatch } from '../../src/core/packets/packet-batch.js';
import { Verdict } from '../../src/core/packets/verdict.js';
import type { AccessRule, Flow, PolicyDevice } from '../../src/policy/access.js';
import { Policy, type PolicyOptions } from '../../src/policy/policy.js';
import { prefixOf } from '../../src/policy/prefix.js';
import { parseIpAddress } from '../../src/wire/address-text.js';
import { ipPacket } from '../wire/ip-packet.js';

/** The bytes of an address. */
export function ip(text: string): Uint8Array {
  const bytes = parseIpAddress(text);
  if (bytes === undefined) throw new Error(`no address: ${text}`);
  return bytes;
}

export const GATEWAY = '10.8.0.1';
export const GATEWAY6 = 'fd08::1';
export const PHONE = '10.8.0.2';
export const LAPTOP = '10.8.0.3';
/** 2026-03-10 12:00:00 UTC. */
export const NOON_UNIX_MS = Date.UTC(2026, 2, 10, 12);

export const OPEN = { internet: true, lan: true, devices: true };
export const CLOSED = { internet: false, lan: false, devices: false };

export function device(fields: Partial<PolicyDevice> & { readonly id: string }): PolicyDevice {
  return { addresses: [], tags: [], switches: OPEN, limits: {}, isBlocked: false, ...fields };
}

export const phone = (fields: Partial<PolicyDevice> = {}): PolicyDevice =>
  device({ id: 'phone', addresses: [PHONE, 'fd08::2'].map(ip), ...fields });
export const laptop = (fields: Partial<PolicyDevice> = {}): PolicyDevice =>
  device({ id: 'laptop', addresses: [LAPTOP, 'fd08::3'].map(ip), ...fields });

export function makePolicy(
  devices: readonly PolicyDevice[] = [phone(), laptop()],
  options: Partial<PolicyOptions> = {},
) {
  const policy = new Policy({
    gatewayAddresses: [GATEWAY, GATEWAY6].map(ip),
    subnets: [prefixOf('10.8.0.0/24'), prefixOf('fd08::/64')],
    timeZone: 'UTC',
    seed: 1,
    unixMs: NOON_UNIX_MS,
    nowMs: 0,
    ...options,
  });
  for (const each of devices) policy.putDevice(each, 0);
  return policy;
}

export function flow(destination: string, port = 443, fields: Partial<Flow> = {}): Flow {
  return { device: 'phone', protocol: 'tcp', destination: ip(destination), port, ...fields };
}

export function rule(fields: Partial<AccessRule> & Pick<AccessRule, 'id' | 'action'>): AccessRule {
  return { from: { kind: 'everyone' }, to: { kind: 'anything' }, ...fields };
}

export function prefix(text: string) {
  return { kind: 'prefix', prefix: prefixOf(text) } as const;
}

export function tcpSegment(sourcePort: number, destinationPort: number, payloadBytes = 0): Uint8Array {
  const segment = new Uint8Array(20 + payloadBytes);
  const view = new DataView(segment.buffer);
  view.setUint16(0, sourcePort);
  view.setUint16(2, destinationPort);
  segment[12] = 0x50;
  return segment;
}

export interface PacketOptions {
  readonly protocol?: number;
  readonly payload?: Uint8Array;
  readonly fragment?: number;
}

/** A packet; TCP from port 50000 to port 22 unless told otherwise. */
export function packet(source: string, destination: string, options: PacketOptions = {}): Uint8Array {
  const { protocol = 6, payload = tcpSegment(50_000, 22), fragment = 0 } = options;
  return ipPacket({ source: ip(source), destination: ip(destination), protocol, payload, fragment });
}

/** Puts packets through a stage. @returns Which of them pass. */
export function pass(
  policy: Policy,
  stage: 'inbound' | 'outbound',
  nowMs: number,
  ...packets: readonly Uint8Array[]
): boolean[] {
  const batch = new PacketBatch(packets.length, 128 * 1024);
  for (const each of packets) batch.bytes.set(each, batch.offset[batch.appendRow(each.length)]);
  policy[stage](batch, nowMs);
  return packets.map((_, row) => {
    if (batch.verdict[row] !== Verdict.Pass && batch.verdict[row] !== Verdict.Filtered)
      throw new Error(`verdict ${batch.verdict[row]}`);
    return batch.verdict[row] === Verdict.Pass;
  });
}
