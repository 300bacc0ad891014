import type { LookupAddress } from 'node:dns';
import { once } from 'node:events';
import { isIP } from 'node:net';

import { parseIpAddress, parseIpPrefix } from '../../control/ip-text.js';
import type { PeerStatus, TunnelHost } from '../../rootless/tunnel-host.js';
import type { TunnelUdpSocket } from '../../rootless/tunnel-udp-socket.js';
import type { Destination, DialTarget, Exit, ExitServer, ExitStream, ExitUdpPort } from '../exit.js';
import { contains } from '../rules/ip-prefixes.js';
import { type FamilyPreference, ofFamily } from './address-family.js';
import { connected } from './connected.js';
import { fixedLookup } from './fixed-lookup.js';
import { LookupCache } from './lookup-cache.js';
import { unlessAborted } from './unless-aborted.js';

/** A peer that is gone is noticed after this time without a byte, not by the next program that writes. */
const KEEPALIVE_MS = 300_000;

/** The way out through a tunnel. Names are looked up by the servers of its `DNS` line, never outside. */
export class TunnelExit implements Exit {
  readonly name: string;
  readonly #host: TunnelHost;
  readonly #names: LookupCache;

  constructor(name: string, host: TunnelHost, family: FamilyPreference = 'auto') {
    this.name = name;
    this.#host = host;
    this.#names = new LookupCache(
      async (name) => ofFamily(await host.lookup(name), family, name),
      () => performance.now(),
    );
  }

  async connect({ host, port, addresses }: DialTarget, signal: AbortSignal): Promise<ExitStream> {
    const found = addresses ?? (isIP(host) === 0 ? await this.lookup(host, signal) : undefined);
    signal.throwIfAborted();
    const lookup = found === undefined ? {} : { lookup: fixedLookup(found) };
    const socket = this.#host.connect({ host, port, allowHalfOpen: true, ...lookup });
    socket.setNoDelay(true).setKeepAlive(true, KEEPALIVE_MS);
    return await connected(socket, signal);
  }

  lookup(host: string, signal: AbortSignal): Promise<readonly LookupAddress[]> {
    return unlessAborted(this.#names.lookup(host), signal);
  }

  async listen({ host, port }: Destination, onConnection: (stream: ExitStream) => void): Promise<ExitServer> {
    const server = this.#host.createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, onConnection);
    server.listen({ host, port });
    await once(server, 'listening');
    const { port: bound } = server.address()!;
    return { address: this.#reachableAt(host), port: bound, close: () => void server.close() };
  }

  async openUdp({ host, port }: Destination): Promise<ExitUdpPort> {
    const socket = this.#host.createUdpSocket(isIP(host) === 6 ? 'udp6' : 'udp4');
    socket.bind(port, host);
    await once(socket, 'listening');
    return new TunnelUdpPort(socket, this.#reachableAt(host));
  }

  explainSilence(address: string | undefined): string | undefined {
    const bytes = parseIpAddress(address ?? '');
    if (bytes === undefined) return undefined;
    const peer = closestPeer(this.#host.status().peers, bytes);
    if (peer === undefined) return `no peer of the tunnel ${this.name} has ${address} in its AllowedIPs`;
    if (peer.reasonCode === 'session') return undefined;
    return `there is no session with peer ${peer.publicKey} of the tunnel ${this.name}: ${peer.reason}`;
  }

  /** Returns the address at which peers reach a port: the tunnel's own of that family for one on all addresses. */
  #reachableAt(host: string): string {
    if (host !== '0.0.0.0' && host !== '::') return host;
    return this.#host.addresses.find((address) => isIP(address) === isIP(host)) ?? host;
  }
}

/** Finds the peer to which packets for an address go: the one with the longest prefix. */
function closestPeer(peers: readonly PeerStatus[], address: Uint8Array): PeerStatus | undefined {
  let closest: PeerStatus | undefined;
  let longest = -1;
  for (const peer of peers)
    for (const text of peer.allowedIps) {
      const prefix = parseIpPrefix(text);
      if (prefix === undefined || prefix.prefixLength <= longest || !contains(prefix, address)) continue;
      longest = prefix.prefixLength;
      closest = peer;
    }
  return closest;
}

class TunnelUdpPort implements ExitUdpPort {
  onMessage: ExitUdpPort['onMessage'] = () => {};
  readonly address: string;
  readonly port: number;
  readonly #socket: TunnelUdpSocket;

  constructor(socket: TunnelUdpSocket, address: string) {
    this.address = address;
    this.port = socket.address().port;
    this.#socket = socket;
    socket.on('message', (message, { address, port }) => this.onMessage(message, { host: address, port }));
    socket.on('error', () => {}); // a datagram was refused, which UDP may do
  }

  send(message: Uint8Array, { host, port }: Destination): void {
    this.#socket.send(message, port, host, () => {});
  }

  close(): void {
    this.#socket.close();
  }
}
