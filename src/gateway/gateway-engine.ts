import type { Duplex } from 'node:stream';

import type { IpPrefix } from '../core/configuration.js';
import type { SessionReason } from '../core/session-reason.js';
import type { DatagramSocket } from '../host/datagram-socket.js';
import type { Tunnel } from '../host/tunnel.js';
import type { AccessRule, Decision, Flow, PolicyDevice } from '../policy/access.js';
import type { DeviceReport } from '../policy/policy.js';
import type { UplinkKind } from './gateway-model.js';
import type { Denial, LiveFlow, ProofStep } from './gateway-service.js';

/** A device with the keys of its peer. */
export interface EngineDevice extends PolicyDevice {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** 32 bytes. A second peer, without addresses until its first handshake; then it takes the place of the first. */
  readonly nextPublicKey?: Uint8Array;
  /** 32 bytes; the engine keeps a copy of its own. */
  readonly presharedKey?: Uint8Array;
}

/** A range that is denied by default and that the administrator opened, as `--allow CIDR:PORT`. */
export interface Opening {
  readonly prefix: IpPrefix;
  /** Absent: every port. */
  readonly port?: number;
}

/** Puts something around each socket that the engine opens. `tunnel` is there once it was made. */
export type WrapSocket = (socket: DatagramSocket, tunnel: () => Tunnel | undefined) => DatagramSocket;

/** Knows names that the gateway's resolver answers itself. */
export interface NameSource {
  /** @param name In lower case, without the last dot. @returns Addresses; empty: no such name; `undefined`: it is for others to know. */
  lookup(name: string): readonly string[] | undefined;
}

export interface GatewayEngineOptions {
  /** 32 bytes; the engine keeps a copy of its own. */
  readonly privateKey: Uint8Array;
  /** 0: any free port. */
  readonly listenPort: number;
  /** The gateway's own address in each subnet, with the length of the subnet. */
  readonly addresses: readonly IpPrefix[];
  readonly mtu: number;
  readonly openings: readonly Opening[];
  readonly timeZone: string;
  /** Addresses of resolvers. Empty: those of this host. */
  readonly resolvers: readonly string[];
  /** The way of devices' traffic to the host's networks: sockets of this process, or a TUN of the kernel. Default: sockets. */
  readonly uplink?: UplinkKind;
  readonly wrapSocket?: WrapSocket;
  readonly names?: NameSource;
}

/** State of a device as the engine has seen it since it was opened. */
export interface EngineStatus {
  readonly report: DeviceReport;
  /** Why there is no session, or `session`. */
  readonly reason: SessionReason;
  /** Absent: never. */
  readonly lastHandshakeUnixMs?: number;
  /** Public address and port, as `HOST:PORT`. Absent: unknown. */
  readonly endpoint?: string;
  /** Payload of both peers of the device. From the device. */
  readonly receivedBytes: number;
  /** To the device. */
  readonly sentBytes: number;
  readonly proof: Readonly<Partial<Record<ProofStep, number>>>;
}

export type EngineEvent =
  | { readonly kind: 'handshake'; readonly device: string }
  /** The next key of a device was used: it is the device's key from here on. */
  | { readonly kind: 'rekeyed'; readonly device: string }
  | { readonly kind: 'proof'; readonly device: string; readonly step: ProofStep }
  /** An endpoint other than the last one sent an authentic packet. */
  | { readonly kind: 'roamed'; readonly device: string; readonly endpoint: string }
  | { readonly kind: 'denied'; readonly denial: Denial };

/** A connection from inside of the tunnel: the address of its other side is authentic, so is its device. */
export type TunnelStream = Duplex & { readonly device: string; readonly remoteAddress: string };

/** The running gateway: WireGuard, policy and NAT. It keeps nothing on disk and knows no person. */
export interface GatewayEngine extends AsyncDisposable {
  readonly publicKey: Uint8Array;
  readonly listenPort: number;
  readonly uplink: UplinkKind;
  /** The families in which the host has a route to the internet. */
  readonly hasRoute: { readonly ipv4: boolean; readonly ipv6: boolean };
  /** Limits of this host, such as no `ping`, with the reason. */
  readonly limitations: readonly { readonly what: string; readonly reason: string }[];

  /** Adds or changes a device; all of it is in force when this resolves, or nothing. */
  putDevice(device: EngineDevice): Promise<void>;
  /** Refuses the keys of a device at once, and ends its flows. */
  removeDevice(id: string): Promise<void>;
  setRules(rules: readonly AccessRule[]): void;
  /** Sets what is used of a device's quota, after a start. */
  restoreQuota(id: string, quota: NonNullable<DeviceReport['quota']>): void;
  /** Says what would become of a flow, and by which rule. */
  decide(flow: Flow): Decision;
  /** `undefined`: there is no such device. */
  status(id: string): EngineStatus | undefined;
  flows(id: string): readonly LiveFlow[];
  /** Recent refusals, newest first, equal ones counted together. */
  denials(): readonly Denial[];
  /** Counters of NAT and policy by name, for Prometheus and `status`. */
  counters(): Readonly<Record<string, number>>;
  /** Calls back for each connection to `port` of the gateway's own addresses. A blocked device gets through as well. */
  listenInside(port: number, onConnection: (stream: TunnelStream) => void): void;
  /** @returns A function that ends the subscription. */
  onEvent(listener: (event: EngineEvent) => void): () => void;
  /** Resets the flows, wipes the keys. */
  close(): Promise<void>;
}
