import { parseIpAddress } from '../../control/ip-text.js';
import type { IpPrefix } from '../../core/configuration.js';
import { AllowedIps } from '../../core/routing/allowed-ips.js';
import { lookup } from '../../policy/address-class.js';

/** The facts of a connection, and what its sender says of the one before. */
export interface ForwardedFacts {
  /** Address of the other end of the connection. */
  readonly address: string;
  readonly isSecure: boolean;
  readonly host: string | undefined;
  /** Header `X-Forwarded-For`: client, then each proxy but the last. */
  readonly forwardedFor: string | undefined;
  readonly forwardedProto: string | undefined;
  readonly forwardedHost: string | undefined;
}

/** The sender of a request, with the name and the protocol that it used. */
export interface ClientFacts {
  readonly address: string;
  readonly isSecure: boolean;
  readonly host: string | undefined;
}

/** The proxies whose word about their clients counts. Everybody else could write such a header. */
export class TrustedProxies {
  readonly #ranges = new AllowedIps<object>();

  constructor(ranges: readonly IpPrefix[]) {
    for (const range of ranges) this.#ranges.insert(range, this);
  }

  /** Returns the client of a request: the last address in the chain that is none of ours. */
  clientOf(facts: ForwardedFacts): ClientFacts {
    const { address, isSecure, host } = facts;
    if (!this.#isTrusted(address)) return { address: plain(address), isSecure, host };
    const chain = (facts.forwardedFor ?? '').split(',').map((hop) => plain(hop.trim()));
    const client = chain.findLast((hop) => !this.#isTrusted(hop));
    const proto = last(facts.forwardedProto);
    return {
      address: client !== undefined && parseIpAddress(client) !== undefined ? client : plain(address),
      isSecure: proto === undefined ? isSecure : proto === 'https',
      host: last(facts.forwardedHost) ?? host,
    };
  }

  #isTrusted(text: string): boolean {
    const address = parseIpAddress(plain(text));
    return address !== undefined && lookup(this.#ranges, address) !== undefined;
  }
}

/** An IPv4 address that a socket for both families shows inside of IPv6. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
}

/** The word of the proxy that is nearest. */
function last(header: string | undefined): string | undefined {
  return header?.split(',').at(-1)?.trim().toLowerCase() || undefined;
}
