import type { AccessRule, Decision, Flow } from '../../policy/access.js';
import type { GatewayDevice, GatewaySettings, GatewayState } from '../gateway-model.js';
import type {
  DeviceChange,
  DeviceView,
  GatewayEvent,
  GatewayPlan,
  GatewayService,
  NewDevice,
  Transaction,
} from '../gateway-service.js';
import { changed, differences, newDevice, noDevice, only } from './device-changes.js';
import { checkDevice } from './device-rules.js';
import { GONE } from './device-views.js';
import { checkSettings } from './settings-rules.js';

/** One thing that would be another. */
export interface PlannedChange {
  /** Such as `devices/phone/limits`. */
  readonly path: string;
  /** Absent: there was nothing. */
  readonly from?: unknown;
  /** Absent: there will be nothing. */
  readonly to?: unknown;
}

/**
 * A gateway on which changes are tried: it checks them as the real one does, remembers them, and puts nothing in force.
 *
 * Later changes see earlier ones, so that several can be tried together.
 */
export class Rehearsal implements GatewayService {
  readonly publicKey: string;
  readonly revision: number;
  readonly changes: PlannedChange[] = [];
  readonly #gateway: GatewayService;
  readonly #nowUnixMs: () => number;
  readonly #devices = new Map<string, GatewayDevice>();
  #rules: readonly AccessRule[] | undefined;
  #settings: GatewaySettings | undefined;

  constructor(gateway: GatewayService, nowUnixMs: () => number) {
    this.#gateway = gateway;
    this.#nowUnixMs = nowUnixMs;
    this.publicKey = gateway.publicKey;
    this.revision = gateway.revision;
  }

  get plan(): GatewayPlan {
    return {
      revision: this.revision,
      devices: [...this.#devices.values()],
      ...(this.#rules === undefined ? {} : { rules: this.#rules }),
      ...(this.#settings === undefined ? {} : { settings: this.#settings }),
    };
  }

  get storeProblem(): string | undefined {
    return this.#gateway.storeProblem;
  }

  get settings(): GatewaySettings {
    return this.#settings ?? this.#gateway.settings;
  }

  status() {
    return this.#gateway.status();
  }

  devices(): readonly DeviceView[] {
    const known = this.#gateway.devices().map((view) => this.#withChange(view));
    const added = [...this.#devices.values()].filter(({ id }) => this.#gateway.device(id) === undefined);
    return [...known, ...added.map((device) => ({ device, ...GONE }))];
  }

  device(id: string): DeviceView | undefined {
    const view = this.#gateway.device(id);
    if (view !== undefined) return this.#withChange(view);
    const added = this.#devices.get(id);
    return added === undefined ? undefined : { device: added, ...GONE };
  }

  async addDevice(given: NewDevice): Promise<DeviceView> {
    const others = this.devices().map(({ device }) => device);
    return this.#put(newDevice(given, this.settings, others, this.#nowUnixMs()));
  }

  async changeDevice(id: string, change: DeviceChange): Promise<DeviceView> {
    return this.#put(changed(this.#find(id), change));
  }

  async deleteDevice(id: string): Promise<void> {
    this.#put({ ...this.#find(id), deletedAtUnixMs: this.#nowUnixMs() });
  }

  async restoreDevice(id: string): Promise<DeviceView> {
    const device = this.device(id)?.device;
    if (device?.deletedAtUnixMs === undefined) throw noDevice(id, 'in the bin');
    const { deletedAtUnixMs: _, ...restored } = device;
    return this.#put(restored);
  }

  async reissueDevice(id: string, publicKey: string): Promise<DeviceView> {
    return this.#put({ ...this.#find(id), nextPublicKey: publicKey });
  }

  deviceFile(id: string): string {
    return this.#gateway.device(id) === undefined ? '' : this.#gateway.deviceFile(id);
  }

  invitations() {
    return this.#gateway.invitations();
  }

  rules(): readonly AccessRule[] {
    return this.#rules ?? this.#gateway.rules();
  }

  async setRules(rules: readonly AccessRule[]): Promise<void> {
    this.#note('rules', this.rules(), rules);
    this.#rules = rules;
  }

  async changeSettings(change: Partial<GatewaySettings>): Promise<void> {
    const before = this.settings;
    const settings = { ...before, ...change };
    checkSettings(settings);
    for (const [name, from] of Object.entries(only(before, change)))
      this.#note(`settings/${name}`, from, settings[name as keyof GatewaySettings]);
    this.#settings = settings;
  }

  async applyPlan({ devices, rules, settings }: GatewayPlan): Promise<void> {
    if (settings !== undefined) await this.changeSettings(settings);
    for (const device of devices) this.#put(device);
    if (rules !== undefined) await this.setRules(rules);
  }

  async transact<T>(make: (state: GatewayState) => Transaction<T>): Promise<T> {
    const { settings, revision } = this;
    const devices = this.devices().map(({ device }) => device);
    const { plan, result } = make({ settings, revision, devices, rules: this.rules(), invitations: [] });
    await this.applyPlan({ revision, ...plan });
    return result;
  }

  decide(flow: Flow): Decision {
    return this.#gateway.decide(flow);
  }

  denials() {
    return this.#gateway.denials();
  }

  flows(id: string) {
    return this.#gateway.flows(id);
  }

  traffic(...period: Parameters<GatewayService['traffic']>) {
    return this.#gateway.traffic(...period);
  }

  sessions(...period: Parameters<GatewayService['sessions']>) {
    return this.#gateway.sessions(...period);
  }

  events(signal: AbortSignal): AsyncIterable<GatewayEvent> {
    return this.#gateway.events(signal);
  }

  #put(device: GatewayDevice): DeviceView {
    const before = this.device(device.id)?.device;
    checkDevice(
      device,
      this.devices().map((view) => view.device),
    );
    for (const [name, difference] of Object.entries(differences(before, device)))
      this.#noteMember(`devices/${device.name}/${name}`, difference);
    this.#devices.set(device.id, device);
    return this.device(device.id)!;
  }

  #noteMember(path: string, difference: unknown): void {
    if (typeof difference === 'object' && difference !== null) {
      const { from, to } = difference as PlannedChange;
      this.#note(path, from, to);
    } else this.changes.push({ path, to: difference });
  }

  #note(path: string, from: unknown, to: unknown): void {
    if (JSON.stringify(from) === JSON.stringify(to)) return;
    this.changes.push({ path, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) });
  }

  #withChange(view: DeviceView): DeviceView {
    const device = this.#devices.get(view.device.id);
    return device === undefined ? view : { ...view, device };
  }

  #find(id: string): GatewayDevice {
    const device = this.device(id)?.device;
    if (device === undefined || device.deletedAtUnixMs !== undefined) throw noDevice(id, 'here');
    return device;
  }
}
