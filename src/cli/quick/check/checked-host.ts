/** Facts about the host that the file is for. */
export interface CheckedHost {
  /** The host has no public IPv4 address of its own. */
  readonly isBehindNat: boolean;
  readonly hasPublicIpv6: boolean;
}
