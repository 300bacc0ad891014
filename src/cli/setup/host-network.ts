import type { IpPrefix } from '../../core/configuration.js';

/** What `init` and `add-peer` ask of the machine. */
export interface HostNetwork {
  /** The interface of the default route. */
  defaultInterface(family: 4 | 6): string | undefined;
  /** The networks that the machine is in. */
  networks(): readonly IpPrefix[];
  /** An address that others could reach the machine at, not link-local. */
  addressOf(interfaceName: string): string | undefined;
  isUdpPortUsed(port: number): boolean;
  /** Which firewall the hooks are written for. */
  firewall(): Promise<Firewall>;
  random(bytes: number): Uint8Array;
}

/** `none`: the machine has neither program. */
export type Firewall = 'nft' | 'iptables' | 'none';
