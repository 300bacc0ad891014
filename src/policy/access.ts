/** The words of policy: flows, rules, devices, and the decisions about them. */
import type { IpPrefix } from '../core/configuration.js';

/** The protocols that rules can name. */
export type FlowProtocol = 'tcp' | 'udp' | 'icmp';

/** A flow as rules see it: from a device to an address that is about to be connected to. */
export interface Flow {
  /** Id of the device that begins it. */
  readonly device: string;
  /** `other` is matched only by rules for every protocol. */
  readonly protocol: FlowProtocol | 'other';
  /** 4 or 16 bytes, after every mapping. */
  readonly destination: Uint8Array;
  /** 0 where the protocol has no ports. */
  readonly port: number;
}

/** Whom a rule is about. */
export type Subject =
  | { readonly kind: 'everyone' }
  | { readonly kind: 'device'; readonly device: string }
  | { readonly kind: 'tag'; readonly tag: string };

/**
 * The destinations of a rule. `internet` is every public address, `lan` the private ones that are not ours.
 *
 * `anything` leaves the gateway's own addresses out, so that a last rule "deny anything" does not take name resolution
 * and the page away. A subject as target means the addresses of those devices.
 */
export type Target =
  | { readonly kind: 'anything' | 'internet' | 'lan' | 'gateway' }
  | { readonly kind: 'prefix'; readonly prefix: IpPrefix }
  | Subject;

/** The first rule that matches a flow decides, before the switches of the device. */
export interface AccessRule {
  readonly id: string;
  readonly action: 'allow' | 'deny';
  readonly from: Subject;
  readonly to: Target;
  /** Absent: every protocol. */
  readonly protocol?: FlowProtocol;
  /** Absent: every port. A rule with ports does not match a flow without ports. */
  readonly ports?: { readonly first: number; readonly last: number };
}

/** The rights of a device when no rule says otherwise. */
export interface Switches {
  readonly internet: boolean;
  readonly lan: boolean;
  readonly devices: boolean;
}

/** Bounds on the traffic of a device. Absent: no bound. */
export interface Limits {
  /** From the device, in bits per second. */
  readonly upBitsPerSecond?: number;
  /** To the device. */
  readonly downBitsPerSecond?: number;
  /** Both ways together, counted from the reset day of each month. */
  readonly quotaBytes?: number;
  /** Day of the month, 1 to 31; a month that is shorter resets on its last day. */
  readonly quotaResetDay?: number;
}

/** A device as policy knows it. */
export interface PolicyDevice {
  readonly id: string;
  readonly addresses: readonly Uint8Array[];
  readonly tags: readonly string[];
  readonly switches: Switches;
  readonly limits: Limits;
  readonly isBlocked: boolean;
  /** Absent: it does not expire. */
  readonly expiresAtUnixMs?: number;
}

/** Why a flow may or may not pass: stable codes, for programs and for sentences in any language. */
export type DecisionReason =
  | 'rule'
  | 'switch'
  | 'gateway'
  | 'this-host'
  | 'link-local'
  | 'metadata'
  | 'not-unicast'
  | 'device-blocked'
  | 'device-expired'
  | 'quota-used'
  | 'unknown-device';

export interface Decision {
  readonly isAllowed: boolean;
  readonly reason: DecisionReason;
  /** The rule that decided, where the reason is `rule`. */
  readonly rule?: string;
  /** The switch that decided, where the reason is `switch`. */
  readonly switch?: keyof Switches;
  /** The device that the flow is for, where the reason is about that device and not about the one that begins it. */
  readonly otherDevice?: string;
}
