import type { AccessRule, Limits, Switches } from '../policy/access.js';
import type { Invitation, MeshSettings, NodeFacts } from './mesh-model.js';

/** A phone, laptop or server that is a peer of the gateway, as people see it. */
export interface GatewayDevice {
  /** Stable, made by the gateway, safe in URLs. */
  readonly id: string;
  readonly name: string;
  /** Base64. */
  readonly publicKey: string;
  /** Base64. Absent: none. */
  readonly presharedKey?: string;
  /** One IPv4 address, and one IPv6 address where the gateway has such a subnet. */
  readonly addresses: readonly string[];
  readonly tags: readonly string[];
  readonly note: string;
  /** Id of the person whose device it is. */
  readonly owner?: string;
  readonly switches: Switches;
  readonly limits: Limits;
  readonly isBlocked: boolean;
  readonly expiresAtUnixMs?: number;
  readonly createdAtUnixMs: number;
  /** The moment at which it came into the bin; it is removed for good a week later. */
  readonly deletedAtUnixMs?: number;
  /** A key that takes the place of `publicKey` with its first handshake. */
  readonly nextPublicKey?: string;
  /** Its facts in the mesh of a hub. */
  readonly node?: NodeFacts;
}

/** The way of devices' traffic to the networks of the host: `sockets` needs no right at all, `tun` needs root. */
export type UplinkKind = 'sockets' | 'tun';

/** Settings of the whole gateway. */
export interface GatewaySettings {
  /** Host and port that devices connect to, as `HOST:PORT`. */
  readonly endpoint: string;
  readonly listenPort: number;
  /** `A.B.C.D/N`; the first address is the gateway's. */
  readonly subnet4: string;
  readonly subnet6?: string;
  /** Resolvers that a device's file names; empty: the gateway itself. */
  readonly dns: readonly string[];
  readonly mtu: number;
  readonly persistentKeepaliveSeconds: number;
  /** Rights of a new device. */
  readonly defaultSwitches: Switches;
  /** People who may do nothing else add, renew and remove their own devices. Absent: no. */
  readonly membersMayAdd?: boolean;
  readonly timeZone: string;
  readonly language: 'en' | 'zh-CN';
  /** The gateway is the hub of this network. Absent: of none. */
  readonly mesh?: MeshSettings;
}

/** Everything that the gateway knows and that outlives it. The private key is kept apart from it. */
export interface GatewayState {
  readonly settings: GatewaySettings;
  readonly devices: readonly GatewayDevice[];
  readonly rules: readonly AccessRule[];
  /** Those of the mesh that can be used still, and those used of late. */
  readonly invitations: readonly Invitation[];
  /** Counts up with every change. */
  readonly revision: number;
}

/** Bytes of a device over a span of time. */
export interface TrafficSample {
  readonly startUnixMs: number;
  readonly seconds: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** A device was connected from one moment to another. */
export interface DeviceSession {
  readonly device: string;
  readonly startUnixMs: number;
  readonly endUnixMs: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
}
