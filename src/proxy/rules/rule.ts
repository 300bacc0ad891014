import type { IpPrefix } from '../../core/configuration.js';

/** Where a connection goes: through the tunnel of that name, past all tunnels, or nowhere. */
export type Way = { readonly kind: 'tunnel'; readonly tunnel: string } | { readonly kind: 'direct' | 'block' };

/** The conditions of a rule. All that are given must hold; a rule without any matches everything. */
export interface RuleMatch {
  /** `example.com` matches that name and all below it. */
  readonly domain?: string;
  /** Matches an address, and a name only after it was resolved. */
  readonly prefix?: IpPrefix;
  readonly ports?: { readonly first: number; readonly last: number };
}

export interface Rule {
  readonly match: RuleMatch;
  readonly way: Way;
  /** The words of the user, for messages and counters. */
  readonly text: string;
}
