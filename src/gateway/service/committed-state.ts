import type { AccessRule } from '../../policy/access.js';
import type { GatewayEngine } from '../gateway-engine.js';
import type { GatewayDevice, GatewaySettings, GatewayState } from '../gateway-model.js';
import type { GatewayPlan } from '../gateway-service.js';
import type { AuditEntry, GatewayStore, StateChange } from '../gateway-store.js';
import type { Invitation } from '../mesh-model.js';
import { differences, noDevice } from './device-changes.js';
import { enforce, enforceInvitations } from './engine-device.js';

export interface CommittedStateParts {
  readonly engine: GatewayEngine;
  readonly store: GatewayStore;
  readonly state: GatewayState;
  readonly nowUnixMs: () => number;
  /** Called when the store begins to refuse changes, and when it takes them again. */
  readonly onStoreChange: () => void;
}

/** The state of a gateway as it is on disk and in force, which are the same once a change is done. */
export class CommittedState {
  /** Those in the bin as well. */
  readonly devices: Map<string, GatewayDevice>;
  readonly invitations: Map<string, Invitation>;
  /** Called once a removal is on disk, and before the keys are refused: whoever is removed can be told so. */
  beforeRemoval: (ids: readonly string[]) => Promise<void> = async () => {};
  readonly #parts: CommittedStateParts;
  #settings: GatewaySettings;
  #rules: readonly AccessRule[];
  #revision: number;
  #storeProblem: string | undefined;

  constructor(parts: CommittedStateParts) {
    const { devices, settings, rules, invitations, revision } = parts.state;
    this.#parts = parts;
    this.devices = new Map(devices.map((device) => [device.id, device]));
    this.invitations = new Map(invitations.map((invitation) => [invitation.id, invitation]));
    this.#settings = settings;
    this.#rules = rules;
    this.#revision = revision;
  }

  get settings(): GatewaySettings {
    return this.#settings;
  }

  get rules(): readonly AccessRule[] {
    return this.#rules;
  }

  get revision(): number {
    return this.#revision;
  }

  /** Code of the error by which the store takes no changes. */
  get storeProblem(): string | undefined {
    return this.#storeProblem;
  }

  /** All of it, at this moment. */
  snapshot(): GatewayState {
    const [devices, invitations] = [[...this.devices.values()], [...this.invitations.values()]];
    return { settings: this.#settings, rules: this.#rules, revision: this.#revision, devices, invitations };
  }

  /** Finds a device that is not in the bin. @throws {WireGuardError} ERR_NO_DEVICE */
  find(id: string): GatewayDevice {
    const device = this.devices.get(id);
    if (device === undefined || device.deletedAtUnixMs !== undefined) throw noDevice(id, 'here');
    return device;
  }

  /** Commits changes and puts them in force. Where the engine refuses them, store and engine get their old state back. */
  async apply(plan: Omit<GatewayPlan, 'revision'>, audit: AuditEntry): Promise<void> {
    const { devices, rules, settings, putInvitations = [], removeInvitations = [] } = plan;
    const { engine } = this.#parts;
    const parts = { ...(rules === undefined ? {} : { rules }), ...(settings === undefined ? {} : { settings }) };
    await this.commit({ ...parts, putDevices: devices, putInvitations, removeInvitations, audit });
    await this.beforeRemoval(
      devices.filter(({ deletedAtUnixMs }) => deletedAtUnixMs !== undefined).map(({ id }) => id),
    );
    await enforce(engine, devices).catch(async (error) => {
      await this.#undo(devices, { ...parts, audit });
      throw error;
    });
    this.#settings = settings ?? this.#settings;
    this.#rules = rules ?? this.#rules;
    if (rules !== undefined) engine.setRules(rules);
    for (const device of devices) this.devices.set(device.id, device);
    for (const invitation of putInvitations) this.invitations.set(invitation.id, invitation);
    for (const id of removeInvitations) this.invitations.delete(id);
    await enforceInvitations(engine, putInvitations, removeInvitations);
  }

  /** Commits a change that the engine has made already, or need not know. */
  async commit(change: StateChange): Promise<void> {
    try {
      this.#revision = await this.#parts.store.commit(change);
      this.noteStore(undefined);
    } catch (error) {
      this.noteStore(error);
      throw error;
    }
  }

  /** Notes that the store has written something, or why it could not. */
  noteStore(failure: unknown): void {
    const problem = failure === undefined ? undefined : ((failure as { code?: string }).code ?? 'ERR_STORE_FILE');
    if (problem === this.#storeProblem) return;
    this.#storeProblem = problem;
    this.#parts.onStoreChange();
  }

  /** Lists what a plan changes, for the audit log. */
  differencesTo({ devices, rules, settings }: GatewayPlan): object {
    const changed = devices.map((device) => [device.id, differences(this.devices.get(device.id), device)] as const);
    return {
      devices: Object.fromEntries(changed),
      ...(rules === undefined ? {} : { rules: { before: this.#rules, after: rules } }),
      ...(settings === undefined ? {} : { before: this.#settings, after: settings }),
    };
  }

  audit(actor: string, operation: string, object: string | undefined, details: object): AuditEntry {
    const entry = { atUnixMs: this.#parts.nowUnixMs(), actor, operation, details: { ...details } };
    return object === undefined ? entry : { ...entry, object };
  }

  async #undo(devices: readonly GatewayDevice[], { rules, settings, audit }: StateChange): Promise<void> {
    const { engine } = this.#parts;
    const before = devices.flatMap(({ id }) => this.devices.get(id) ?? []);
    const added = devices.filter(({ id }) => !this.devices.has(id)).map(({ id }) => id);
    await this.commit({
      ...(rules === undefined ? {} : { rules: this.#rules }),
      ...(settings === undefined ? {} : { settings: this.#settings }),
      putDevices: before,
      removeDevices: added,
      audit: this.audit('gateway', `${audit.operation}.undone`, audit.object, {}),
    });
    await enforce(engine, before);
    for (const id of added) await engine.removeDevice(id);
  }
}
