import { formatIpAddress } from '../../control/ip-text.js';
import { formatKey } from '../../control/key-text.js';
import { WireGuardError } from '../../core/errors.js';
import { SerialQueue } from '../../host/serial-queue.js';
import type { AccessRule, Decision, Flow } from '../../policy/access.js';
import { GATEWAY_NAME } from '../engine/open-gateway-engine.js';
import type { EngineEvent, GatewayEngine, TunnelStream } from '../gateway-engine.js';
import type { GatewayDevice, GatewaySettings, GatewayState } from '../gateway-model.js';
import type {
  Denial,
  DeviceChange,
  DeviceView,
  GatewayEvent,
  GatewayPlan,
  GatewayService,
  GatewayStatus,
  LiveFlow,
  NewDevice,
} from '../gateway-service.js';
import type { AuditEntry, GatewayStore, StateChange } from '../gateway-store.js';
import { gatewayAddresses } from './address-pool.js';
import { changed, differences, newDevice, noDevice, only, operationOf, outOfBin } from './device-changes.js';
import { deviceFile } from './device-file.js';
import { checkDevice } from './device-rules.js';
import { countConditions, DeviceViews } from './device-views.js';
import { enforce } from './engine-device.js';
import { EventHub } from './event-hub.js';
import { History } from './history.js';
import { checkSettings } from './settings-rules.js';
import { TrafficRecorder } from './traffic-recorder.js';

export interface GatewayParts {
  readonly engine: GatewayEngine;
  readonly store: GatewayStore;
  readonly state: GatewayState;
  /** When each device was last seen before this start. */
  readonly lastSeenUnixMs: ReadonlyMap<string, number>;
  readonly nowUnixMs?: () => number;
  /** Told of what fails in the background, such as writing traffic. */
  readonly onFailure?: (error: unknown) => void;
}

/** See `GatewayService`. Each change is committed first, put in force then, and taken back where that fails. */
export class RunningGateway implements GatewayService {
  readonly publicKey: string;
  readonly #engine: GatewayEngine;
  readonly #store: GatewayStore;
  readonly #nowUnixMs: () => number;
  readonly #startedAtUnixMs: number;
  readonly #queue = new SerialQueue();
  readonly #events = new EventHub();
  readonly #views: DeviceViews;
  readonly #recorder: TrafficRecorder;
  readonly #history: History;
  readonly #devices: Map<string, GatewayDevice>;
  #settings: GatewaySettings;
  #rules: readonly AccessRule[];
  #revision: number;
  #storeProblem: string | undefined;

  constructor({ engine, store, state, lastSeenUnixMs, nowUnixMs = Date.now, onFailure = () => {} }: GatewayParts) {
    this.#engine = engine;
    this.#store = store;
    this.#nowUnixMs = nowUnixMs;
    this.#startedAtUnixMs = nowUnixMs();
    this.#views = new DeviceViews(engine, lastSeenUnixMs);
    this.#devices = new Map(state.devices.map((device) => [device.id, device]));
    this.#settings = state.settings;
    this.#rules = state.rules;
    this.#revision = state.revision;
    this.publicKey = formatKey(engine.publicKey);
    this.#recorder = new TrafficRecorder({
      store,
      totals: () => this.#views.totalsOf(this.#devices.keys()),
      nowUnixMs,
      onFailure: (error) => {
        this.#noteStore(error);
        onFailure(error);
      },
      onWritten: () => this.#noteStore(undefined),
      onSilence: (id) => this.#tellOf(id),
    });
    this.#history = new History(store, () => this.#devices.keys());
    engine.onEvent((event) => this.#take(event));
  }

  get settings(): GatewaySettings {
    return this.#settings;
  }

  get revision(): number {
    return this.#revision;
  }

  /** The names and addresses of the gateway inside of the tunnel. */
  get ownNames(): string[] {
    return [GATEWAY_NAME, ...gatewayAddresses(this.#settings).map(({ address }) => formatIpAddress(address))];
  }

  /** Serves a port of the gateway's own addresses to its devices. */
  listenInside(port: number, onConnection: (stream: TunnelStream) => void): void {
    this.#engine.listenInside(port, onConnection);
  }

  status(): GatewayStatus {
    const views = this.devices().filter(({ device }) => device.deletedAtUnixMs === undefined);
    const { hasRoute, limitations, listenPort, uplink } = this.#engine;
    return {
      listenPort,
      uplink,
      deviceCounts: countConditions(views),
      receivedBytesPerSecond: views.reduce((sum, view) => sum + view.receivedBytesPerSecond, 0),
      sentBytesPerSecond: views.reduce((sum, view) => sum + view.sentBytesPerSecond, 0),
      hasRoute,
      limitations,
      counters: this.#engine.counters(),
      startedAtUnixMs: this.#startedAtUnixMs,
      ...(this.#storeProblem === undefined ? {} : { storeProblem: this.#storeProblem }),
    };
  }

  devices(): readonly DeviceView[] {
    return [...this.#devices.values()].map((device) => this.#views.of(device));
  }

  device(id: string): DeviceView | undefined {
    const device = this.#devices.get(id);
    return device === undefined ? undefined : this.#views.of(device);
  }

  addDevice(given: NewDevice, actor: string): Promise<DeviceView> {
    return this.#queue.run(async () => {
      const device = newDevice(given, this.#settings, [...this.#devices.values()], this.#nowUnixMs());
      return this.#put(device, 'device.add', actor);
    });
  }

  changeDevice(id: string, change: DeviceChange, actor: string): Promise<DeviceView> {
    return this.#queue.run(() => this.#put(changed(this.#find(id), change), operationOf(change), actor));
  }

  async deleteDevice(id: string, actor: string): Promise<void> {
    await this.#queue.run(async () => {
      const device = { ...this.#find(id), deletedAtUnixMs: this.#nowUnixMs() };
      await this.#apply({ devices: [device] }, this.#audit(actor, 'device.remove', id, {}));
    });
  }

  restoreDevice(id: string, actor: string): Promise<DeviceView> {
    return this.#queue.run(() => {
      const device = this.#devices.get(id);
      if (device?.deletedAtUnixMs === undefined) throw noDevice(id, 'in the bin');
      const { deletedAtUnixMs: _, ...restored } = device;
      return this.#put(restored, 'device.restore', actor);
    });
  }

  reissueDevice(id: string, publicKey: string, actor: string): Promise<DeviceView> {
    return this.#queue.run(() => this.#put({ ...this.#find(id), nextPublicKey: publicKey }, 'device.reissue', actor));
  }

  deviceFile(id: string, privateKey?: string): string {
    const device = this.#find(id);
    return deviceFile({
      device,
      settings: this.#settings,
      publicKey: this.publicKey,
      ...(privateKey === undefined ? {} : { privateKey }),
    });
  }

  rules(): readonly AccessRule[] {
    return this.#rules;
  }

  async setRules(rules: readonly AccessRule[], actor: string): Promise<void> {
    await this.#queue.run(async () => {
      const details = { before: this.#rules, after: rules };
      await this.#apply({ devices: [], rules }, this.#audit(actor, 'rules.set', undefined, details));
    });
  }

  async changeSettings(change: Partial<GatewaySettings>, actor: string): Promise<void> {
    await this.#queue.run(async () => {
      const settings = { ...this.#settings, ...change };
      checkSettings(settings);
      const details = { before: only(this.#settings, change), after: change };
      await this.#apply({ devices: [], settings }, this.#audit(actor, 'settings.change', undefined, details));
    });
  }

  async applyPlan(plan: GatewayPlan, operation: string, actor: string): Promise<void> {
    await this.#queue.run(async () => {
      const { revision, devices, rules, settings } = plan;
      if (revision !== this.#revision)
        throw new WireGuardError('ERR_CHANGED_MEANWHILE', 'devices, rules or settings were changed meanwhile');
      const details = {
        devices: Object.fromEntries(
          devices.map((device) => [device.id, differences(this.#devices.get(device.id), device)]),
        ),
        ...(rules === undefined ? {} : { rules: { before: this.#rules, after: rules } }),
        ...(settings === undefined ? {} : { before: this.#settings, after: settings }),
      };
      await this.#apply(plan, this.#audit(actor, operation, undefined, details));
    });
  }

  decide(flow: Flow): Decision {
    return this.#engine.decide(flow);
  }

  denials(): readonly Denial[] {
    return this.#engine.denials();
  }

  flows(id: string): readonly LiveFlow[] {
    return this.#engine.flows(id);
  }

  traffic(id: string | undefined, fromUnixMs: number, toUnixMs: number, buckets: number) {
    return this.#history.traffic(id, { fromUnixMs, toUnixMs, buckets });
  }

  sessions(id: string | undefined, fromUnixMs: number, toUnixMs: number) {
    return this.#history.sessions(id, fromUnixMs, toUnixMs);
  }

  events(signal: AbortSignal): AsyncIterable<GatewayEvent> {
    return this.#events.read(signal);
  }

  /** Removes for good what has been in the bin for a week. */
  async emptyBin(): Promise<void> {
    await this.#queue.run(async () => {
      const removeDevices = outOfBin(this.#devices.values(), this.#nowUnixMs());
      if (removeDevices.length === 0) return;
      await this.#commit({ removeDevices, audit: this.#audit('gateway', 'bin.empty', undefined, { removeDevices }) });
      for (const id of removeDevices) this.#devices.delete(id);
    });
  }

  /** Writes what is left to write, and ends the engine and the store. */
  async close(): Promise<void> {
    await this.#recorder.close();
    await this.#engine.close();
    await this.#store.close();
  }

  async #put(device: GatewayDevice, operation: string, actor: string): Promise<DeviceView> {
    checkDevice(device, this.#devices.values());
    const details = differences(this.#devices.get(device.id), device);
    await this.#apply({ devices: [device] }, this.#audit(actor, operation, device.id, details));
    return this.#views.of(device);
  }

  /** Commits changes and puts them in force. Where the engine refuses them, store and engine get their old state back. */
  async #apply({ devices, rules, settings }: Omit<GatewayPlan, 'revision'>, audit: AuditEntry): Promise<void> {
    const parts = { ...(rules === undefined ? {} : { rules }), ...(settings === undefined ? {} : { settings }) };
    await this.#commit({ ...parts, putDevices: devices, audit });
    await enforce(this.#engine, devices).catch(async (error) => {
      await this.#undo(devices, { ...parts, audit });
      throw error;
    });
    this.#settings = settings ?? this.#settings;
    this.#rules = rules ?? this.#rules;
    if (rules !== undefined) this.#engine.setRules(rules);
    for (const device of devices) this.#publish(device);
    if (rules !== undefined) this.#events.publish({ kind: 'rules-changed' });
    if (settings !== undefined) this.#events.publish({ kind: 'settings-changed' });
  }

  async #undo(devices: readonly GatewayDevice[], { rules, settings, audit }: StateChange): Promise<void> {
    const before = devices.flatMap(({ id }) => this.#devices.get(id) ?? []);
    const added = devices.filter(({ id }) => !this.#devices.has(id)).map(({ id }) => id);
    await this.#commit({
      ...(rules === undefined ? {} : { rules: this.#rules }),
      ...(settings === undefined ? {} : { settings: this.#settings }),
      putDevices: before,
      removeDevices: added,
      audit: this.#audit('gateway', `${audit.operation}.undone`, audit.object, {}),
    });
    await enforce(this.#engine, before);
    for (const id of added) await this.#engine.removeDevice(id);
  }

  #publish(device: GatewayDevice): void {
    this.#devices.set(device.id, device);
    if (device.deletedAtUnixMs === undefined) {
      this.#events.publish({ kind: 'device-changed', device: this.#views.of(device) });
      return;
    }
    this.#views.forget(device.id);
    this.#events.publish({ kind: 'device-removed', id: device.id });
  }

  async #commit(change: StateChange): Promise<void> {
    try {
      this.#revision = await this.#store.commit(change);
      this.#noteStore(undefined);
    } catch (error) {
      this.#noteStore(error);
      throw error;
    }
  }

  /** Tells when the store begins to refuse changes, and when it takes them again. */
  #noteStore(failure: unknown): void {
    const problem = failure === undefined ? undefined : ((failure as { code?: string }).code ?? 'ERR_STORE_FILE');
    if (problem === this.#storeProblem) return;
    this.#storeProblem = problem;
    this.#events.publish({ kind: 'store-changed' });
  }

  #take(event: EngineEvent): void {
    if (event.kind === 'denied') {
      this.#events.publish({ kind: 'denied', denial: event.denial });
      return;
    }
    const id = event.device;
    if (event.kind === 'handshake') {
      this.#views.noteSeen(id, this.#nowUnixMs());
      this.#recorder.wake();
    }
    if (event.kind === 'rekeyed') void this.#queue.run(() => this.#keepNextKey(id)).catch(() => {});
    this.#tellOf(id);
  }

  #tellOf(id: string): void {
    const device = this.#devices.get(id);
    if (device !== undefined && this.#events.hasReaders)
      this.#events.publish({ kind: 'device-changed', device: this.#views.of(device) });
  }

  /** The engine has moved to the next key already. */
  async #keepNextKey(id: string): Promise<void> {
    const device = this.#devices.get(id);
    if (device?.nextPublicKey === undefined) return;
    const { nextPublicKey, ...rest } = device;
    const renewed = { ...rest, publicKey: nextPublicKey };
    await this.#commit({ putDevices: [renewed], audit: this.#audit('gateway', 'device.rekeyed', id, {}) });
    this.#publish(renewed);
  }

  /** @throws {WireGuardError} ERR_NO_DEVICE */
  #find(id: string): GatewayDevice {
    const device = this.#devices.get(id);
    if (device === undefined || device.deletedAtUnixMs !== undefined) throw noDevice(id, 'here');
    return device;
  }

  #audit(actor: string, operation: string, object: string | undefined, details: object): StateChange['audit'] {
    const entry = { atUnixMs: this.#nowUnixMs(), actor, operation, details: { ...details } };
    return object === undefined ? entry : { ...entry, object };
  }
}
