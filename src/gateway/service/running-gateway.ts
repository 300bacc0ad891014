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
  Transaction,
} from '../gateway-service.js';
import type { AuditEntry, GatewayStore } from '../gateway-store.js';
import type { Invitation } from '../mesh-model.js';
import { gatewayAddresses } from './address-pool.js';
import { CommittedState } from './committed-state.js';
import { changed, differences, newDevice, noDevice, only, operationOf, outOfBin } from './device-changes.js';
import { deviceFile } from './device-file.js';
import { checkDevice } from './device-rules.js';
import { countConditions, DeviceViews } from './device-views.js';
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
  readonly #state: CommittedState;

  constructor({ engine, store, state, lastSeenUnixMs, nowUnixMs = Date.now, onFailure = () => {} }: GatewayParts) {
    this.#engine = engine;
    this.#store = store;
    this.#nowUnixMs = nowUnixMs;
    this.#startedAtUnixMs = nowUnixMs();
    this.#views = new DeviceViews(engine, lastSeenUnixMs);
    const onStoreChange = (): void => this.#events.publish({ kind: 'store-changed' });
    this.#state = new CommittedState({ engine, store, state, nowUnixMs, onStoreChange });
    this.publicKey = formatKey(engine.publicKey);
    this.#recorder = new TrafficRecorder({
      store,
      totals: () => this.#views.totalsOf(this.#state.devices.keys()),
      nowUnixMs,
      onFailure: (error) => {
        this.#state.noteStore(error);
        onFailure(error);
      },
      onWritten: () => this.#state.noteStore(undefined),
      onSilence: (id) => this.#tellOf(id),
    });
    this.#history = new History(store, () => this.#state.devices.keys());
    engine.onEvent((event) => this.#take(event));
  }

  get settings(): GatewaySettings {
    return this.#state.settings;
  }

  get revision(): number {
    return this.#state.revision;
  }

  get storeProblem(): string | undefined {
    return this.#state.storeProblem;
  }

  /** The names and addresses of the gateway inside of the tunnel. */
  get ownNames(): string[] {
    return [GATEWAY_NAME, ...gatewayAddresses(this.#state.settings).map(({ address }) => formatIpAddress(address))];
  }

  /** See `CommittedState`. */
  set beforeRemoval(tell: (ids: readonly string[]) => Promise<void>) {
    this.#state.beforeRemoval = tell;
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
      ...(this.storeProblem === undefined ? {} : { storeProblem: this.storeProblem }),
    };
  }

  devices(): readonly DeviceView[] {
    return [...this.#state.devices.values()].map((device) => this.#views.of(device));
  }

  device(id: string): DeviceView | undefined {
    const device = this.#state.devices.get(id);
    return device === undefined ? undefined : this.#views.of(device);
  }

  addDevice(given: NewDevice, actor: string): Promise<DeviceView> {
    return this.#queue.run(async () => {
      const device = newDevice(given, this.#state.settings, [...this.#state.devices.values()], this.#nowUnixMs());
      return this.#put(device, 'device.add', actor);
    });
  }

  changeDevice(id: string, change: DeviceChange, actor: string): Promise<DeviceView> {
    return this.#queue.run(() => this.#put(changed(this.#state.find(id), change), operationOf(change), actor));
  }

  async deleteDevice(id: string, actor: string): Promise<void> {
    await this.#queue.run(async () => {
      const device = { ...this.#state.find(id), deletedAtUnixMs: this.#nowUnixMs() };
      await this.#apply({ devices: [device] }, this.#state.audit(actor, 'device.remove', id, {}));
    });
  }

  restoreDevice(id: string, actor: string): Promise<DeviceView> {
    return this.#queue.run(() => {
      const device = this.#state.devices.get(id);
      if (device?.deletedAtUnixMs === undefined) throw noDevice(id, 'in the bin');
      const { deletedAtUnixMs: _, ...restored } = device;
      return this.#put(restored, 'device.restore', actor);
    });
  }

  reissueDevice(id: string, publicKey: string, actor: string): Promise<DeviceView> {
    return this.#queue.run(() =>
      this.#put({ ...this.#state.find(id), nextPublicKey: publicKey }, 'device.reissue', actor),
    );
  }

  deviceFile(id: string, privateKey?: string): string {
    const device = this.#state.find(id);
    return deviceFile({
      device,
      settings: this.#state.settings,
      publicKey: this.publicKey,
      ...(privateKey === undefined ? {} : { privateKey }),
    });
  }

  invitations(): readonly Invitation[] {
    return [...this.#state.invitations.values()];
  }

  rules(): readonly AccessRule[] {
    return this.#state.rules;
  }

  async setRules(rules: readonly AccessRule[], actor: string): Promise<void> {
    await this.#queue.run(async () => {
      const details = { before: this.#state.rules, after: rules };
      await this.#apply({ devices: [], rules }, this.#state.audit(actor, 'rules.set', undefined, details));
    });
  }

  async changeSettings(change: Partial<GatewaySettings>, actor: string): Promise<void> {
    await this.#queue.run(async () => {
      const settings = { ...this.#state.settings, ...change };
      checkSettings(settings);
      const details = { before: only(this.#state.settings, change), after: change };
      await this.#apply({ devices: [], settings }, this.#state.audit(actor, 'settings.change', undefined, details));
    });
  }

  async applyPlan(plan: GatewayPlan, operation: string, actor: string): Promise<void> {
    await this.#queue.run(async () => {
      if (plan.revision !== this.#state.revision)
        throw new WireGuardError('ERR_CHANGED_MEANWHILE', 'devices, rules or settings were changed meanwhile');
      await this.#apply(plan, this.#state.audit(actor, operation, undefined, this.#state.differencesTo(plan)));
    });
  }

  async transact<T>(make: (state: GatewayState) => Transaction<T>, actor: string): Promise<T> {
    return await this.#queue.run(async () => {
      const { plan, operation, object, details = {}, result } = make(this.#state.snapshot());
      const all = this.#state.devices;
      if (plan.settings !== undefined) checkSettings(plan.settings);
      for (const device of plan.devices) if (device.deletedAtUnixMs === undefined) checkDevice(device, all.values());
      await this.#apply(plan, this.#state.audit(actor, operation, object, details));
      return result;
    });
  }

  /** The state as it is on disk and in force. */
  state(): GatewayState {
    return this.#state.snapshot();
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
      const removeDevices = outOfBin(this.#state.devices.values(), this.#nowUnixMs());
      if (removeDevices.length === 0) return;
      await this.#state.commit({
        removeDevices,
        audit: this.#state.audit('gateway', 'bin.empty', undefined, { removeDevices }),
      });
      for (const id of removeDevices) this.#state.devices.delete(id);
    });
  }

  /** Writes what is left to write, and ends the engine and the store. */
  async close(): Promise<void> {
    await this.#recorder.close();
    await this.#engine.close();
    await this.#store.close();
  }

  async #put(device: GatewayDevice, operation: string, actor: string): Promise<DeviceView> {
    checkDevice(device, this.#state.devices.values());
    const details = differences(this.#state.devices.get(device.id), device);
    await this.#apply({ devices: [device] }, this.#state.audit(actor, operation, device.id, details));
    return this.#views.of(device);
  }

  async #apply(plan: Omit<GatewayPlan, 'revision'>, audit: AuditEntry): Promise<void> {
    await this.#state.apply(plan, audit);
    for (const device of plan.devices) this.#publish(device);
    if (plan.rules !== undefined) this.#events.publish({ kind: 'rules-changed' });
    if (plan.settings !== undefined) this.#events.publish({ kind: 'settings-changed' });
    if (plan.putInvitations !== undefined || plan.removeInvitations !== undefined)
      this.#events.publish({ kind: 'invitations-changed' });
  }

  #publish(device: GatewayDevice): void {
    if (device.deletedAtUnixMs === undefined) {
      this.#events.publish({ kind: 'device-changed', device: this.#views.of(device) });
      return;
    }
    this.#views.forget(device.id);
    this.#events.publish({ kind: 'device-removed', id: device.id });
  }

  #take(event: EngineEvent): void {
    if (event.kind === 'denied') {
      this.#events.publish({ kind: 'denied', denial: event.denial });
      return;
    }
    const id = event.device;
    if (!this.#state.devices.has(id)) return;
    if (event.kind === 'handshake') {
      this.#views.noteSeen(id, this.#nowUnixMs());
      this.#recorder.wake();
    }
    if (event.kind === 'rekeyed') void this.#queue.run(() => this.#keepNextKey(id)).catch(() => {});
    this.#tellOf(id);
  }

  #tellOf(id: string): void {
    const device = this.#state.devices.get(id);
    if (device !== undefined && this.#events.hasReaders)
      this.#events.publish({ kind: 'device-changed', device: this.#views.of(device) });
  }

  /** The engine has moved to the next key already. */
  async #keepNextKey(id: string): Promise<void> {
    const device = this.#state.devices.get(id);
    if (device?.nextPublicKey === undefined) return;
    const { nextPublicKey, ...rest } = device;
    const renewed = { ...rest, publicKey: nextPublicKey, ...renewedNode(device) };
    await this.#state.commit({
      putDevices: [renewed],
      audit: this.#state.audit('gateway', 'device.rekeyed', id, {}),
    });
    this.#state.devices.set(id, renewed);
    this.#publish(renewed);
  }
}

/** The next key of a node comes with its own signature. */
function renewedNode({ node }: GatewayDevice): Pick<GatewayDevice, 'node'> {
  if (node?.nextKeySignature === undefined) return node === undefined ? {} : { node };
  const { nextKeySignature, ...rest } = node;
  return { node: { ...rest, keySeq: (node.keySeq ?? 0) + 1, keySignature: nextKeySignature } };
}
