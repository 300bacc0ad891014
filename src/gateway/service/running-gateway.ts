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
  GatewayService,
  GatewayStatus,
  LiveFlow,
  NewDevice,
} from '../gateway-service.js';
import type { GatewayStore, StateChange } from '../gateway-store.js';
import { gatewayAddresses } from './address-pool.js';
import { changed, differences, newDevice, only, operationOf, outOfBin } from './device-changes.js';
import { deviceFile } from './device-file.js';
import { checkDevice } from './device-rules.js';
import { countConditions, DeviceViews } from './device-views.js';
import { engineDevice } from './engine-device.js';
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
      onFailure,
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
    const { hasRoute, limitations, listenPort } = this.#engine;
    return {
      listenPort,
      deviceCounts: countConditions(views),
      receivedBytesPerSecond: views.reduce((sum, view) => sum + view.receivedBytesPerSecond, 0),
      sentBytesPerSecond: views.reduce((sum, view) => sum + view.sentBytesPerSecond, 0),
      hasRoute,
      limitations,
      counters: this.#engine.counters(),
      startedAtUnixMs: this.#startedAtUnixMs,
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
      await this.#commit({ putDevices: [device], audit: this.#audit(actor, 'device.remove', id, {}) });
      this.#devices.set(id, device);
      this.#views.forget(id);
      await this.#engine.removeDevice(id);
      this.#events.publish({ kind: 'device-removed', id });
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
      await this.#commit({
        rules,
        audit: this.#audit(actor, 'rules.set', undefined, { before: this.#rules, after: rules }),
      });
      this.#rules = rules;
      this.#engine.setRules(rules);
      this.#events.publish({ kind: 'rules-changed' });
    });
  }

  async changeSettings(change: Partial<GatewaySettings>, actor: string): Promise<void> {
    await this.#queue.run(async () => {
      const settings = { ...this.#settings, ...change };
      checkSettings(settings);
      const details = { before: only(this.#settings, change), after: change };
      await this.#commit({ settings, audit: this.#audit(actor, 'settings.change', undefined, details) });
      this.#settings = settings;
      this.#events.publish({ kind: 'settings-changed' });
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

  /** Commits a device and puts it in force. Where the engine refuses it, the store gets its old state back. */
  async #put(device: GatewayDevice, operation: string, actor: string): Promise<DeviceView> {
    const before = this.#devices.get(device.id);
    checkDevice(device, this.#devices.values());
    const audit = this.#audit(actor, operation, device.id, differences(before, device));
    await this.#commit({ putDevices: [device], audit });
    try {
      await this.#engine.putDevice(engineDevice(device));
    } catch (error) {
      const undo = this.#audit('gateway', `${operation}.undone`, device.id, {});
      const restored = before === undefined ? { removeDevices: [device.id] } : { putDevices: [before] };
      await this.#commit({ ...restored, audit: undo });
      throw error;
    }
    this.#devices.set(device.id, device);
    const view = this.#views.of(device);
    this.#events.publish({ kind: 'device-changed', device: view });
    return view;
  }

  async #commit(change: StateChange): Promise<void> {
    this.#revision = await this.#store.commit(change);
  }

  #take(event: EngineEvent): void {
    if (event.kind === 'denied') {
      this.#events.publish({ kind: 'denied', denial: event.denial });
      return;
    }
    const device = this.#devices.get(event.device);
    if (device === undefined) return;
    if (event.kind === 'handshake') {
      this.#views.noteSeen(device.id, this.#nowUnixMs());
      this.#recorder.wake();
    }
    if (event.kind === 'rekeyed') void this.#queue.run(() => this.#keepNextKey(device.id)).catch(() => {});
    if (this.#events.hasReaders) this.#events.publish({ kind: 'device-changed', device: this.#views.of(device) });
  }

  /** The engine has moved to the next key already. */
  async #keepNextKey(id: string): Promise<void> {
    const device = this.#devices.get(id);
    if (device?.nextPublicKey === undefined) return;
    const { nextPublicKey, ...rest } = device;
    const renewed = { ...rest, publicKey: nextPublicKey };
    await this.#commit({ putDevices: [renewed], audit: this.#audit('gateway', 'device.rekeyed', id, {}) });
    this.#devices.set(id, renewed);
    this.#events.publish({ kind: 'device-changed', device: this.#views.of(renewed) });
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

function noDevice(id: string, where: string): WireGuardError {
  return new WireGuardError('ERR_NO_DEVICE', `there is no device ${id} ${where}`);
}
