/** What the checks need to know of the host that the file is for. */
export interface CheckedHost {
  /** It has no public IPv4 address of its own. */
  readonly isBehindNat: boolean;
  readonly hasPublicIpv6: boolean;
}
