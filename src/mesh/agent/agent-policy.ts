import { randomBytes } from 'node:crypto';

import { parseIpAddress, parseIpPrefix } from '../../control/ip-text.js';
import type { IpPrefix } from '../../core/configuration.js';
import type { PacketBatch } from '../../core/packets/packet-batch.js';
import { Verdict } from '../../core/packets/verdict.js';
import type { AccessRule } from '../../policy/access.js';
import { Policy } from '../../policy/policy.js';
import { covers } from '../../policy/prefix.js';
import * as ipHeader from '../../wire/ip-header.js';
import type { HubInfo, MapEntry } from '../map/messages.js';
import { type RuleText, ruleOfText } from '../map/rule-text.js';
import { HUB } from './wanted-peers.js';

const NO_LIMITS = {};

/** The hub is reached whatever the rules say, as they come by it. */
const HUB_RULES: readonly AccessRule[] = [
  { id: 'to-hub', action: 'allow', from: { kind: 'everyone' }, to: { kind: 'device', device: HUB } },
  { id: 'from-hub', action: 'allow', from: { kind: 'device', device: HUB }, to: { kind: 'everyone' } },
];

/** The facts that the policy of an agent is made from. */
export interface AgentPolicyFacts {
  readonly self: Pick<MapEntry['record'], 'id' | 'addresses' | 'tags'> & Pick<MapEntry, 'mayBegin'>;
  readonly entries: Iterable<MapEntry>;
  readonly hub: HubInfo;
  readonly rules: readonly RuleText[];
  /** Ranges that this agent leads to. */
  readonly routes: readonly string[];
}

/**
 * The packet filter of an agent: what others may begin is decided here, where it arrives, and not at a hub that cannot see it.
 *
 * This host is one of the devices of the policy, so that a flow that it begins lets its answers in. Packets of addresses that no
 * node has come through the hub, as those of plain devices do, and were judged there.
 */
export class AgentPolicy {
  readonly #policy: Policy;
  /** Entries as they were put, so that one that stays costs nothing. */
  #known = new Map<string, unknown>();
  #routes: readonly IpPrefix[] = [];
  #own: readonly Uint8Array[] = [];

  constructor(unixMs: number, nowMs: number) {
    const seed = randomBytes(4).readUInt32LE();
    this.#policy = new Policy({ gatewayAddresses: [], subnets: [], timeZone: 'UTC', seed, unixMs, nowMs });
  }

  set(facts: AgentPolicyFacts, nowMs: number): void {
    const { self, entries, hub, rules, routes } = facts;
    this.#policy.setGateway(
      [],
      hub.subnets.map((subnet) => parseIpPrefix(subnet)!),
    );
    const known = new Map<string, unknown>([
      [self.id, undefined],
      [HUB, undefined],
    ]);
    this.#put(self.id, self.addresses, self.tags, self.mayBegin, nowMs);
    this.#put(HUB, hub.addresses, [], true, nowMs);
    for (const entry of entries) {
      const { record, mayBegin } = entry;
      known.set(record.id, entry);
      if (this.#known.get(record.id) !== entry) this.#put(record.id, record.addresses, record.tags, mayBegin, nowMs);
    }
    for (const id of this.#known.keys()) if (!known.has(id)) this.#policy.removeDevice(id);
    this.#known = known;
    this.#policy.setRules([...HUB_RULES, ...rules.map(ruleOfText)]);
    this.#own = self.addresses.map((address) => parseIpAddress(address)!);
    this.#routes = routes.map((route) => parseIpPrefix(route)!);
  }

  /** Drops what may not come in. */
  inbound(batch: PacketBatch, nowMs: number): void {
    for (let row = 0; row < batch.count; row++)
      if (batch.verdict[row] === Verdict.Pass && batch.length[row]! > 0 && !this.#mayComeIn(batch, row, nowMs))
        batch.verdict[row] = Verdict.Filtered;
  }

  /** Drops what may not leave. */
  outbound(batch: PacketBatch, nowMs: number): void {
    for (let row = 0; row < batch.count; row++)
      if (batch.verdict[row] === Verdict.Pass && batch.length[row]! > 0 && !this.#mayLeave(batch, row, nowMs))
        batch.verdict[row] = Verdict.Filtered;
  }

  nextDeadline(): number {
    return this.#policy.nextDeadline();
  }

  runDue(nowMs: number): void {
    this.#policy.runDue(nowMs);
  }

  #put(id: string, addresses: readonly string[], tags: readonly string[], devices: boolean, nowMs: number): void {
    const switches = { devices, internet: devices, lan: devices };
    const bytes = addresses.map((address) => parseIpAddress(address)!);
    this.#policy.putDevice({ id, addresses: bytes, tags, switches, limits: NO_LIMITS, isBlocked: false }, nowMs);
  }

  #mayComeIn(batch: PacketBatch, row: number, nowMs: number): boolean {
    if (!this.#policy.isFromDevice(batch, row)) return true;
    if (this.#isOwn(batch, row, true)) return this.#policy.mayEnter(batch, row, nowMs);
    if (!this.#isRouted(batch, row)) return false;
    return this.#policy.mayEnter(batch, row, nowMs) && this.#policy.mayLeaveHost(batch, row, nowMs);
  }

  #mayLeave(batch: PacketBatch, row: number, nowMs: number): boolean {
    if (this.#isOwn(batch, row, false)) return this.#policy.mayEnter(batch, row, nowMs);
    return this.#routes.length > 0 && this.#policy.mayAnswer(batch, row, nowMs);
  }

  /** Tests whether the destination or the source of a packet is this host's own address. */
  #isOwn(batch: PacketBatch, row: number, isDestination: boolean): boolean {
    const address = addressOf(batch, row, isDestination);
    return address !== undefined && this.#own.some((own) => Buffer.compare(own, address) === 0);
  }

  #isRouted(batch: PacketBatch, row: number): boolean {
    const address = addressOf(batch, row, true);
    return address !== undefined && this.#routes.some((route) => covers(route, address));
  }
}

function addressOf(
  { bytes, offset, length }: PacketBatch,
  row: number,
  isDestination: boolean,
): Uint8Array | undefined {
  const at = offset[row]!;
  const version = ipHeader.checkIpPacket(bytes, at, length[row]!);
  if (version === 4) {
    const from = at + (isDestination ? ipHeader.IPV4_DESTINATION_AT : ipHeader.IPV4_SOURCE_AT);
    return bytes.subarray(from, from + 4);
  }
  if (version !== 6) return undefined;
  const from = at + (isDestination ? ipHeader.IPV6_DESTINATION_AT : ipHeader.IPV6_SOURCE_AT);
  return bytes.subarray(from, from + 16);
}
