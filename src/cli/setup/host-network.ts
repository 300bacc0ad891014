import type { IpPrefix } from '../../core/configuration.js';

/** The network of a host, as `init` and `add-peer` see it. */
export interface HostNetwork {
  /** Returns the interface of the default route. */
  defaultInterface(family: 4 | 6): string | undefined;
  /** Returns the networks that the host is in. @param except The networks of this interface are left out. */
  networks(except?: string): readonly IpPrefix[];
  /** Returns an address at which others could reach the host, not link-local. */
  addressOf(interfaceName: string): string | undefined;
  hasInterface(name: string): boolean;
  isUdpPortUsed(port: number): boolean;
  /** Returns the firewall that the hooks are written for. */
  firewall(): Promise<Firewall>;
  /** Tests whether a program is installed. */
  hasProgram(name: string): boolean;
  random(bytes: number): Uint8Array;
}

/** `none`: the host has neither program. */
export type Firewall = 'nft' | 'iptables' | 'none';
