import type { AccessRule, Decision, Flow, Limits, Switches } from '../policy/access.js';
import type {
  DeviceSession,
  GatewayDevice,
  GatewaySettings,
  GatewayState,
  TrafficSample,
  UplinkKind,
} from './gateway-model.js';
import type { Invitation } from './mesh-model.js';

/** How a device is, in one word; the reason code says why. */
export type DeviceCondition = 'online' | 'asleep' | 'never-seen' | 'blocked' | 'in-trouble';

/** A step of a device that proves itself, in this order. */
export type ProofStep = 'handshake' | 'first-packet' | 'name-resolved' | 'connected';

/** A device, with all that the gateway sees of it while it runs. */
export interface DeviceView {
  readonly device: GatewayDevice;
  readonly condition: DeviceCondition;
  /** Code and parameters, for sentences in any language. */
  readonly reason: { readonly code: string; readonly seconds: number };
  /** Absent: never. */
  readonly lastHandshakeUnixMs?: number;
  /** Public address and port. Absent: unknown. */
  readonly endpoint?: string;
  /** Since the gateway started. From the device. */
  readonly receivedBytes: number;
  /** To the device. */
  readonly sentBytes: number;
  /** Both ways, since the quota's reset day. */
  readonly quotaUsedBytes: number;
  /** Over the last seconds. */
  readonly receivedBytesPerSecond: number;
  readonly sentBytesPerSecond: number;
  /** When each step was first seen. */
  readonly proof: Readonly<Partial<Record<ProofStep, number>>>;
  /** Packets and flows of the device that were dropped or refused, by cause. */
  readonly drops: Readonly<Record<string, number>>;
}

/** How the whole gateway is. */
export interface GatewayStatus {
  readonly listenPort: number;
  readonly uplink: UplinkKind;
  /** Devices by condition. */
  readonly deviceCounts: Readonly<Record<DeviceCondition, number>>;
  readonly receivedBytesPerSecond: number;
  readonly sentBytesPerSecond: number;
  /** The families in which the host has a route to the internet. */
  readonly hasRoute: { readonly ipv4: boolean; readonly ipv6: boolean };
  /** Limits of this host, such as no `ping`, with the reason. */
  readonly limitations: readonly { readonly what: string; readonly reason: string }[];
  /** Counters of NAT and policy by name. */
  readonly counters: Readonly<Record<string, number>>;
  readonly startedAtUnixMs: number;
  /** Code of the error by which the store takes no changes, such as a full disk. Absent: it takes them. */
  readonly storeProblem?: string;
}

/** A flow that is alive. */
export interface LiveFlow {
  readonly device: string;
  readonly protocol: 'tcp' | 'udp' | 'icmp';
  readonly destination: string;
  readonly port: number;
  readonly sinceUnixMs: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** A flow that policy refused, with how often. */
export interface Denial {
  readonly atUnixMs: number;
  readonly flow: {
    readonly device: string;
    readonly protocol: Flow['protocol'];
    readonly destination: string;
    readonly port: number;
  };
  readonly decision: Decision;
  readonly count: number;
}

export type GatewayEvent =
  | { readonly kind: 'device-changed'; readonly device: DeviceView }
  | { readonly kind: 'device-removed'; readonly id: string }
  | { readonly kind: 'denied'; readonly denial: Denial }
  | { readonly kind: 'settings-changed' | 'rules-changed' | 'store-changed' | 'invitations-changed' };

export interface NewDevice {
  readonly name: string;
  /** Comes from whoever keeps the private key. */
  readonly publicKey: string;
  readonly hasPresharedKey?: boolean;
  readonly tags?: readonly string[];
  readonly note?: string;
  readonly owner?: string;
  readonly expiresAtUnixMs?: number;
  readonly limits?: Limits;
  /** Default: those of the settings. */
  readonly switches?: Switches;
}

/** Members that are absent stay as they are; `null` takes a bound or an expiry away. */
export type DeviceChange = Partial<
  Pick<GatewayDevice, 'name' | 'tags' | 'note' | 'switches' | 'limits' | 'isBlocked'>
> & {
  readonly owner?: string | null;
  readonly expiresAtUnixMs?: number | null;
};

/** Changes to be put in force together. */
export interface GatewayPlan {
  /** Revision of the gateway that it was made for. */
  readonly revision: number;
  /** New ones, changed ones, and those that go to the bin. */
  readonly devices: readonly GatewayDevice[];
  readonly rules?: readonly AccessRule[];
  readonly settings?: GatewaySettings;
  readonly putInvitations?: readonly Invitation[];
  /** Ids. */
  readonly removeInvitations?: readonly string[];
}

/** A change that was made of the state as it is when its turn has come. */
export interface Transaction<T> {
  readonly plan: Omit<GatewayPlan, 'revision'>;
  /** For the audit log. */
  readonly operation: string;
  readonly object?: string;
  readonly details?: object;
  /** Handed to the caller once the change is in force. */
  readonly result: T;
}

/**
 * The calls by which the command line, the HTTP interface and the page do all that they do.
 *
 * Each change is on disk and in force when its promise resolves, or neither. `actor` is whoever asked, for the audit log.
 *
 * @throws {WireGuardError} ERR_VALUE, ERR_NOT_FOUND
 */
export interface GatewayService {
  readonly publicKey: string;
  readonly settings: GatewaySettings;
  /** Counts up with every change of devices, rules and settings. */
  readonly revision: number;
  /** See `GatewayStatus`. */
  readonly storeProblem: string | undefined;
  status(): GatewayStatus;
  /** Those in the bin as well. */
  devices(): readonly DeviceView[];
  device(id: string): DeviceView | undefined;
  addDevice(device: NewDevice, actor: string): Promise<DeviceView>;
  changeDevice(id: string, change: DeviceChange, actor: string): Promise<DeviceView>;
  /** Moves a device to the bin: its key is refused at once. */
  deleteDevice(id: string, actor: string): Promise<void>;
  restoreDevice(id: string, actor: string): Promise<DeviceView>;
  /** Takes a new key that replaces the old one with its first handshake. */
  reissueDevice(id: string, publicKey: string, actor: string): Promise<DeviceView>;
  /** The file of a device, with `PrivateKey = ` followed by `privateKey` or left for the browser to fill in. */
  deviceFile(id: string, privateKey?: string): string;
  invitations(): readonly Invitation[];
  rules(): readonly AccessRule[];
  setRules(rules: readonly AccessRule[], actor: string): Promise<void>;
  changeSettings(change: Partial<GatewaySettings>, actor: string): Promise<void>;
  /**
   * Puts all that a plan changes in force together.
   *
   * @param operation Name for the audit log.
   * @throws {WireGuardError} ERR_CHANGED_MEANWHILE: the gateway is not the one that the plan was made for.
   */
  applyPlan(plan: GatewayPlan, operation: string, actor: string): Promise<void>;
  /** Makes a change of the state as it is, with no other change between. What `make` throws is thrown, and nothing is changed. */
  transact<T>(make: (state: GatewayState) => Transaction<T>, actor: string): Promise<T>;
  /** Says what would become of a flow, and by which rule. */
  decide(flow: Flow): Decision;
  denials(): readonly Denial[];
  flows(id: string): readonly LiveFlow[];
  /** @param id Absent: of all devices together. */
  traffic(
    id: string | undefined,
    fromUnixMs: number,
    toUnixMs: number,
    buckets: number,
  ): Promise<readonly TrafficSample[]>;
  /** @param id Absent: of all devices. */
  sessions(id: string | undefined, fromUnixMs: number, toUnixMs: number): Promise<readonly DeviceSession[]>;
  /** From the moment at which reading begins; ends with the signal. */
  events(signal: AbortSignal): AsyncIterable<GatewayEvent>;
}
