import type { IpPrefix } from '../core/configuration.js';
import type { PacketBatch } from '../core/packets/packet-batch.js';
import type { AccessRule, Decision, Flow, PolicyDevice } from './access.js';
import { Calendar } from './calendar.js';
import { DecisionCounts } from './decision-counts.js';
import { type DeviceCounts, DeviceState, type Standing } from './device-state.js';
import { type Explanation, explanationOf } from './explanation.js';
import { judge } from './judge.js';
import { type InnerAddress, Places } from './places.js';
import { PolicyClock } from './policy-clock.js';
import type { QuotaRecord } from './quota.js';
import { type KnownFlow, type PreparedRule, prepareRules } from './rules.js';
import { Stages } from './stages.js';

export interface PolicyOptions {
  /** Addresses of the gateway inside of the tunnel. */
  readonly gatewayAddresses: readonly Uint8Array[];
  /** Ranges of the tunnel. */
  readonly subnets: readonly IpPrefix[];
  /** The zone of the quotas' reset days: a name for which `isTimeZone` holds. */
  readonly timeZone: string;
  /** Any 32 random bits; devices must not be able to guess them. */
  readonly seed: number;
  /** The wall clock at `nowMs`. */
  readonly unixMs: number;
  readonly nowMs: number;
  /** Called with each flow that is refused. */
  readonly onDenied?: (flow: Flow, decision: Decision) => void;
}

/** The state of a device besides its settings. */
export interface DeviceReport {
  readonly standing: Standing;
  readonly counts: Readonly<DeviceCounts>;
  /** Absent before its first period. */
  readonly quota?: QuotaRecord;
}

interface Entry {
  readonly state: DeviceState;
  addresses: readonly InnerAddress[];
}

/**
 * Decides what the devices of a gateway may do, and counts what they do.
 *
 * ```text
 * classify ─▶ open ─▶ admit ─▶ inbound ─▶ netstack or TUN ─▶ outbound ─▶ route ─▶ seal
 *                                             │
 *                                             └─▶ decide, once per flow that leaves the tunnel
 * ```
 *
 * There is no clock, no timer and no I/O in here: time is `nowMs`, and the wall clock comes in by `clockRead`.
 */
export class Policy {
  readonly counts = new DecisionCounts();
  readonly #places = new Places();
  readonly #clock: PolicyClock;
  readonly #stages: Stages;
  readonly #devices = new Map<string, Entry>();
  readonly #onDenied: PolicyOptions['onDenied'];
  #rules: readonly PreparedRule[] = [];
  #gateway: readonly InnerAddress[];
  #revision = 0;
  #nextDeadlineMs = Infinity;

  constructor({ gatewayAddresses, subnets, timeZone, seed, unixMs, nowMs, onDenied }: PolicyOptions) {
    this.#onDenied = onDenied;
    this.#clock = new PolicyClock(timeZone, unixMs, nowMs);
    this.#places.setSubnets(subnets);
    this.#gateway = this.#places.replace([], gatewayAddresses);
    this.#stages = new Stages(this.#places, seed, {
      revision: () => this.#revision,
      decide: (flow, flowMs) => this.decide(flow, flowMs).isAllowed,
    });
  }

  /** Counts up whenever a decision may come out differently: time to ask again about flows that live. */
  get revision(): number {
    return this.#revision;
  }

  /** Packets from addresses that no device has. */
  get unknownDeviceDrops(): number {
    return this.#stages.unknownDeviceDrops;
  }

  /** Sets all rules; the order counts. */
  setRules(rules: readonly AccessRule[]): void {
    this.#rules = prepareRules(rules);
    this.counts.keepRules(new Set(rules.map(({ id }) => id)));
    this.#revision++;
  }

  setGateway(addresses: readonly Uint8Array[], subnets: readonly IpPrefix[]): void {
    this.#places.setSubnets(subnets);
    this.#gateway = this.#places.replace(this.#gateway, addresses);
    this.#revision++;
  }

  /** Sets the addresses of the host that the gateway runs on; to be called again when they change. */
  setOwnAddresses(addresses: readonly Uint8Array[]): void {
    this.#places.setOwnAddresses(addresses);
    this.#revision++;
  }

  setTimeZone(timeZone: string, nowMs: number): void {
    this.#clock.calendar = new Calendar(timeZone);
    this.#refreshAll(nowMs);
  }

  /** Adds a device, or changes its settings. Counts, and what is used of a quota, stay. */
  putDevice(device: PolicyDevice, nowMs: number): void {
    const entry = this.#devices.get(device.id) ?? this.#makeEntry(device);
    entry.addresses = this.#places.replace(entry.addresses, device.addresses, entry.state);
    entry.state.configure(device, nowMs);
    this.#nextDeadlineMs = Math.min(this.#nextDeadlineMs, entry.state.nextChangeMs);
    this.#revision++;
  }

  removeDevice(id: string): void {
    const entry = this.#devices.get(id);
    if (entry === undefined) return;
    this.#places.replace(entry.addresses, []);
    this.#devices.delete(id);
    this.#revision++;
  }

  /** Takes up what was used of a quota before a restart. */
  restoreQuota(id: string, record: QuotaRecord, nowMs: number): void {
    const state = this.#devices.get(id)?.state;
    state?.quota.restore(record);
    state?.refresh(nowMs);
  }

  /** @returns `undefined` for a device that is not known. */
  report(id: string, nowMs: number): DeviceReport | undefined {
    const state = this.#devices.get(id)?.state;
    if (state === undefined) return undefined;
    const standing = state.standingAt(nowMs);
    const quota = state.quota.toRecord();
    return { standing, counts: state.counts, ...(quota === undefined ? {} : { quota }) };
  }

  /** Says what the wall clock shows. To be called from time to time, and when the clock was set. */
  clockRead(unixMs: number, nowMs: number): void {
    this.#clock.read(unixMs, nowMs);
    this.#refreshAll(nowMs);
  }

  /** When a device expires or a quota starts again, as long as the wall clock is not set; Infinity: never. */
  nextDeadline(): number {
    return this.#nextDeadlineMs;
  }

  runDue(nowMs: number): void {
    if (nowMs >= this.#nextDeadlineMs) this.#refreshAll(nowMs);
  }

  /** Decides about a flow that is about to begin, and counts the decision. */
  decide(flow: Flow, nowMs: number): Decision {
    const decision = judge(this.#rules, this.#know(flow), nowMs);
    this.counts.count(decision);
    if (!decision.isAllowed) this.#onDenied?.(flow, decision);
    return decision;
  }

  /** Decides as `decide` does, without counting, and says why. */
  explain(flow: Flow, nowMs: number): Explanation {
    const known = this.#know(flow);
    return explanationOf(known, judge(this.#rules, known, nowMs), this.#rules);
  }

  /** Takes the rows that passed `admit`. */
  inbound(batch: PacketBatch, nowMs: number): void {
    this.#stages.inbound(batch, nowMs);
  }

  /** Takes packets for devices, before `route`. */
  outbound(batch: PacketBatch, nowMs: number): void {
    this.#stages.outbound(batch, nowMs);
  }

  /** Judges one row as `inbound` does, and counts it. */
  mayEnter(batch: PacketBatch, row: number, nowMs: number): boolean {
    return this.#stages.mayEnter(batch, row, nowMs);
  }

  /** Tests whether the source of a packet is an address of a device. */
  isFromDevice(batch: PacketBatch, row: number): boolean {
    return this.#stages.isFromDevice(batch, row);
  }

  /** Tests whether a packet is for one of the devices. */
  isForDevice(batch: PacketBatch, row: number): boolean {
    return this.#stages.isForDevice(batch, row);
  }

  /** Tests whether a packet of a device may leave for a network of the host, packet by packet. */
  mayLeaveHost(batch: PacketBatch, row: number, nowMs: number): boolean {
    return this.#stages.mayLeaveHost(batch, row, nowMs);
  }

  /** Tests whether a packet of a network of the host belongs to a flow that a device began and that may still pass. */
  mayAnswer(batch: PacketBatch, row: number, nowMs: number): boolean {
    return this.#stages.mayAnswer(batch, row, nowMs);
  }

  #know(flow: Flow): KnownFlow {
    return {
      flow,
      device: this.#devices.get(flow.device)?.state,
      place: this.#places.placeOf(flow.destination),
    };
  }

  #makeEntry(device: PolicyDevice): Entry {
    const state = new DeviceState(device, this.#clock, () => {
      this.#revision++;
    });
    const entry: Entry = { state, addresses: [] };
    this.#devices.set(device.id, entry);
    return entry;
  }

  #refreshAll(nowMs: number): void {
    this.#nextDeadlineMs = Infinity;
    for (const { state } of this.#devices.values()) {
      state.refresh(nowMs);
      this.#nextDeadlineMs = Math.min(this.#nextDeadlineMs, state.nextChangeMs);
    }
  }
}
