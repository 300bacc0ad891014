import { lookup } from 'node:dns/promises';

import type { Addon } from '../../addon/interface.js';
import { Upstreams } from '../../gateway/dns/upstreams.js';
import { MarkedSockets } from '../../host/marked-sockets.js';
import { TunnelResolver } from '../../rootless/tunnel-resolver.js';
import { proxyFor } from '../carrier/carrier-link.js';
import { type Place, withoutBrackets } from '../carrier/placed-connection.js';
import type { HubInfo } from '../map/messages.js';
import { OutsideNames } from './outside-names.js';

/** systemd-resolved on this host, whose own questions have no mark; its servers are in a file. */
const STUB = '127.0.0.53';
const SERVERS_OF_STUB = '/run/systemd/resolve/resolv.conf';

/** The network beside an exit, by a firewall mark: for the names that an agent itself needs, and for its carrier. */
export class Outside {
  readonly mark: number;
  readonly #sockets: MarkedSockets;
  readonly #names: OutsideNames;
  readonly #host = new Upstreams();
  readonly #stub = new Upstreams([], SERVERS_OF_STUB);
  #turn = 0;

  constructor(addon: Addon, mark: number) {
    this.mark = mark;
    this.#sockets = new MarkedSockets(addon, mark);
    this.#names = new OutsideNames([askSystem, (host) => this.#askServers(host)]);
  }

  /** Looks up where the hub is, its carrier, and the proxy before that, as long as nothing goes by the exit. Never throws. */
  async meet({ endpoint, carrierUrl }: HubInfo): Promise<void> {
    const proxy = carrierUrl === undefined ? undefined : proxyFor(carrierUrl, process.env);
    const urls = [`udp://${endpoint}`, ...(carrierUrl === undefined ? [] : [proxy ?? carrierUrl])];
    const hosts = new Set(urls.map((url) => withoutBrackets(new URL(url).hostname)));
    await Promise.allSettled([...hosts].map((host) => this.#names.lookup(host)));
  }

  /** Looks a name up. @throws {Error} With a code of `node:dns`. */
  async lookup(host: string): Promise<string> {
    return (await this.#names.lookup(host))[0]!;
  }

  /** Finds where to connect to a host: its addresses take turns, as one may be of a family that leads nowhere here. */
  async findPlace(host: string): Promise<Place> {
    const addresses = await this.#names.lookup(host);
    const address = addresses[this.#turn++ % addresses.length]!;
    return { host: address, fd: this.#sockets.openTcp(address) };
  }

  async #askServers(host: string): Promise<string[]> {
    const { servers } = this.#host;
    const real = servers.includes(STUB) ? this.#stub.servers : servers;
    const found = await new TunnelResolver(real, [], this.#sockets).lookup(host);
    return found.sort((a, b) => a.family - b.family).map(({ address }) => address);
  }
}

async function askSystem(host: string): Promise<string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}
