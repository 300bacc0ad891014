import type { AccessRule } from '../policy/access.js';
import type { DeviceSession, GatewayDevice, GatewaySettings, GatewayState, TrafficSample } from './gateway-model.js';
import type { Invitation } from './mesh-model.js';

/** One line of the audit log, without secrets. */
export interface AuditEntry {
  readonly atUnixMs: number;
  /** The one that did it: id of a person or token, `local` for the command line, `gateway` for itself. */
  readonly actor: string;
  /** Name of the operation, such as `device.add`. */
  readonly operation: string;
  /** Id of what it was done to. */
  readonly object?: string;
  /** The change, as JSON. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** A change of the state, with its line in the audit log: both are kept, or neither. */
export interface StateChange {
  readonly settings?: GatewaySettings;
  readonly putDevices?: readonly GatewayDevice[];
  /** Ids. */
  readonly removeDevices?: readonly string[];
  readonly rules?: readonly AccessRule[];
  readonly putInvitations?: readonly Invitation[];
  /** Ids. */
  readonly removeInvitations?: readonly string[];
  readonly audit: AuditEntry;
}

/** Keeps what outlives the gateway. Whatever moment the process dies at, a change is there whole or not at all. */
export interface GatewayStore {
  /** @returns `undefined`: this is the first run. */
  load(): Promise<GatewayState | undefined>;
  /** Resolves when the change is on disk. @returns The new revision. */
  commit(change: StateChange): Promise<number>;
  /** Newest first. @param before Number of the entry to go on from. @param operations Only entries about these. */
  audit(
    limit: number,
    before?: number,
    operations?: readonly string[],
  ): Promise<readonly (AuditEntry & { readonly number: number; readonly hash: string })[]>;
  /** Adds the traffic of a minute, by device. */
  addTraffic(
    startUnixMs: number,
    seconds: number,
    traffic: ReadonlyMap<string, { received: number; sent: number }>,
  ): Promise<void>;
  /** Traffic in at most `buckets` samples. */
  traffic(device: string, fromUnixMs: number, toUnixMs: number, buckets: number): Promise<readonly TrafficSample[]>;
  addSession(session: DeviceSession): Promise<void>;
  sessions(device: string, fromUnixMs: number, toUnixMs: number): Promise<readonly DeviceSession[]>;
  /** Writes a copy of the state, whole and consistent, to a new file of mode 0600. */
  backup(path: string): Promise<void>;
  close(): Promise<void>;
}
