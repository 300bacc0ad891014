import type { LookupAddress } from 'node:dns';

import { WireGuardError } from '../../core/errors.js';
import type { Destination, DialTarget, Exit, ExitStream } from '../exit.js';
import { type Decision, decideByAddress, decideByName, decideLookup } from './decision.js';
import { type Host, isWithinDomain, parseHost } from './host-name.js';
import { isOwnAddress } from './own-addresses.js';
import { formatDestination, RouteError, routeError } from './route-error.js';
import type { Rule, Way } from './rule.js';

export interface RouterParts {
  /** At least one. The first one carries what no rule sends elsewhere. */
  readonly tunnels: readonly Exit[];
  readonly direct: Exit;
  readonly rules: readonly Rule[];
}

/** Where a connection goes, and to which addresses. */
export interface Route {
  readonly exit: Exit;
  readonly to: DialTarget;
}

/** Where datagrams go. */
export interface AddressedRoute {
  readonly exit: Exit;
  readonly port: number;
  readonly addresses: readonly LookupAddress[];
}

/** How often a rule decided. */
export interface RuleHits {
  readonly text: string;
  readonly way: Way;
  connections: number;
}

/**
 * Sends each destination on its way: through a tunnel, past all tunnels, or nowhere.
 *
 * The first rule that matches decides. A rule with a domain decides before any lookup. A rule with a prefix needs the addresses
 * of a name: the way that the name takes by the other rules looks it up, which is the first tunnel if there are none. So a name
 * leaves a tunnel only if a rule sends it direct. Each address of a name is judged by itself, and exactly the addresses that
 * passed are connected to.
 *
 * A rule for everything, or for a name, does not open this host and its link to clients: those addresses need a rule of their own.
 */
export class Router {
  /** One for each rule, and the last one for what no rule matches. */
  readonly hits: readonly RuleHits[];
  readonly #tunnels: ReadonlyMap<string, Exit>;
  readonly #direct: Exit;
  readonly #rules: readonly Rule[];

  /** @throws {WireGuardError} ERR_VALUE if a rule names a tunnel that is missing. */
  constructor({ tunnels, direct, rules }: RouterParts) {
    this.#tunnels = new Map(tunnels.map((tunnel) => [tunnel.name, tunnel]));
    this.#direct = direct;
    this.#rules = rules;
    const fallback: Way = { kind: 'tunnel', tunnel: tunnels[0]!.name };
    this.hits = [...rules, { text: '*', way: fallback }].map(({ text, way }) => ({ text, way, connections: 0 }));
    for (const { text, way } of rules)
      if (way.kind === 'tunnel' && !this.#tunnels.has(way.tunnel))
        throw new WireGuardError('ERR_VALUE', `the rule "${text}" names the tunnel ${way.tunnel}, which is missing`);
  }

  /** Routes, and connects. @throws {RouteError} */
  async connect(to: Destination, signal: AbortSignal): Promise<ExitStream> {
    return await this.dial(await this.route(to, signal), signal);
  }

  /** Connects to a routed destination. @throws {RouteError} */
  async dial({ exit, to }: Route, signal: AbortSignal): Promise<ExitStream> {
    if (to.port === 0) throw new RouteError('invalid-host', `nothing listens on port 0 of ${to.host}`);
    try {
      return await exit.connect(to, signal);
    } catch (error) {
      throw routeError(error, to, exit, to.addresses?.[0]?.address ?? (error as { address?: string }).address);
    }
  }

  /** Finds the way of a destination, and counts it for the rule. @throws {RouteError} */
  async route({ host: text, port }: Destination, signal: AbortSignal): Promise<Route> {
    const host = parseHost(text);
    if (host === undefined || !isPort(port))
      throw new RouteError('invalid-host', `${JSON.stringify(text)} with port ${port} is not a destination`);
    const to = { host: host.text, port };
    if (host.address !== undefined) return this.#take(decideByAddress(this.#rules, undefined, host, port), to, [host]);
    const decision = decideByName(this.#rules, host.text, port);
    if (decision === undefined) return await this.#routeByAddresses(to, signal);
    if (this.#wayOf(decision).kind !== 'direct') return this.#take(decision, to, []);
    return this.#take(decision, to, await this.#lookup(this.#direct, to, signal));
  }

  /** Finds the way of a destination, and its addresses where no rule needed them. @throws {RouteError} */
  async routeToAddresses(destination: Destination, signal: AbortSignal): Promise<AddressedRoute> {
    const { exit, to } = await this.route(destination, signal);
    if (to.addresses !== undefined) return { exit, port: to.port, addresses: to.addresses };
    const hosts = await this.#lookup(exit, to, signal);
    return { exit, port: to.port, addresses: hosts.map(lookupAddress) };
  }

  /** Judges every address of a name. The first one that is not blocked decides, and takes along the others of its way. */
  async #routeByAddresses(to: Destination, signal: AbortSignal): Promise<Route> {
    const way = this.#wayOf(decideLookup(this.#rules, to.host, to.port));
    const resolver = way.kind === 'direct' ? this.#direct : this.#exitOf(way.kind === 'block' ? this.#fallback : way);
    const hosts = await this.#lookup(resolver, to, signal);
    const judged = hosts.map((host) => ({ host, decision: decideByAddress(this.#rules, to.host, host, to.port) }));
    const { decision } = judged.find(({ decision }) => this.#wayOf(decision).kind !== 'block') ?? judged[0]!;
    const taken = judged.filter((other) => other.decision === decision).map(({ host }) => host);
    return this.#take(decision, to, taken);
  }

  /** @param hosts The addresses, as far as they are known. */
  #take(decision: Decision, to: Destination, hosts: readonly Host[]): Route {
    const way = this.#wayOf(decision);
    const hits = this.hits.at(decision)!;
    hits.connections++;
    if (way.kind === 'block')
      throw new RouteError('blocked', `the rule "${hits.text}" blocks ${formatDestination(to)}`);
    const open = way.kind === 'direct' ? this.#withoutOwn(decision, to, hosts) : hosts;
    const addresses = open.map(lookupAddress);
    return { exit: this.#exitOf(way), to: addresses.length === 0 ? to : { ...to, addresses } };
  }

  /** Leaves out the addresses of this host, unless a rule names them. */
  #withoutOwn(decision: Decision, to: Destination, hosts: readonly Host[]): readonly Host[] {
    const match = this.#rules[decision]?.match;
    const isNamed =
      match?.prefix !== undefined || (match?.domain !== undefined && isWithinDomain(to.host, 'localhost'));
    const open = isNamed ? hosts : hosts.filter(({ address }) => !isOwnAddress(address!));
    if (open.length > 0) return open;
    const place = hosts[0]?.text ?? to.host;
    throw new RouteError(
      'blocked',
      `${formatDestination(to)} leads to ${place}, on this host or its link, which needs a rule of its own`,
    );
  }

  async #lookup(exit: Exit, to: Destination, signal: AbortSignal): Promise<readonly Host[]> {
    try {
      const addresses = await exit.lookup(to.host, signal);
      const hosts = addresses.map(({ address }) => parseHost(address)).filter((host) => host !== undefined);
      if (hosts.length > 0) return hosts;
      throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${to.host}`), { code: 'ENOTFOUND', syscall: 'getaddrinfo' });
    } catch (error) {
      throw routeError(error, to, exit);
    }
  }

  get #fallback(): Way {
    return this.hits.at(-1)!.way;
  }

  #wayOf(decision: Decision): Way {
    return this.hits.at(decision)!.way;
  }

  #exitOf(way: Way): Exit {
    return way.kind === 'tunnel' ? this.#tunnels.get(way.tunnel)! : this.#direct;
  }
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 0 && port <= 65_535;
}

function lookupAddress({ text, address }: Host): LookupAddress {
  return { address: text, family: address?.length === 4 ? 4 : 6 };
}
