import { createSocket, type Socket as DgramSocket } from 'node:dgram';
import { promises as dns, type LookupAddress } from 'node:dns';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, isIP } from 'node:net';

import type { Destination, DialTarget, Exit, ExitServer, ExitStream, ExitUdpPort } from '../exit.js';
import { type FamilyPreference, ofFamily } from './address-family.js';
import { connected } from './connected.js';
import { fixedLookup } from './fixed-lookup.js';
import { LookupCache } from './lookup-cache.js';
import { unlessAborted } from './unless-aborted.js';

const KEEPALIVE_MS = 300_000;
/** Node gives an address up when it tries the next one, so it waits for more than a slow path needs. */
const ATTEMPT_MS = 2_000;
/** Datagrams that the kernel has no room for wait in libuv; more than this is dropped. */
const MAX_QUEUED_BYTES = 1_048_576;

/** The way out past all tunnels: the sockets and the resolver of this host. */
export class DirectExit implements Exit {
  readonly name = 'direct';
  readonly #names: LookupCache;

  constructor(family: FamilyPreference = 'auto') {
    this.#names = new LookupCache(
      async (name) => ofFamily(await dns.lookup(name, { all: true }), family, name),
      () => performance.now(),
    );
  }

  async connect({ host, port, addresses }: DialTarget, signal: AbortSignal): Promise<ExitStream> {
    const found = addresses ?? (isIP(host) === 0 ? await this.lookup(host, signal) : undefined);
    signal.throwIfAborted();
    const socket = connect({
      host,
      port,
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEPALIVE_MS,
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: ATTEMPT_MS,
      ...(found === undefined ? {} : { lookup: fixedLookup(found) }),
    });
    return await connected(socket, signal);
  }

  lookup(host: string, signal: AbortSignal): Promise<readonly LookupAddress[]> {
    return unlessAborted(this.#names.lookup(host), signal);
  }

  async listen({ host, port }: Destination, onConnection: (stream: ExitStream) => void): Promise<ExitServer> {
    const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, onConnection);
    server.listen({ host, port });
    await once(server, 'listening');
    server.on('error', () => {}); // one connection could not be accepted, such as for lack of descriptors
    const bound = server.address() as AddressInfo;
    return { address: bound.address, port: bound.port, close: () => void server.close() };
  }

  async openUdp({ host, port }: Destination): Promise<ExitUdpPort> {
    const socket = createSocket(isIP(host) === 6 ? { type: 'udp6', ipv6Only: true } : { type: 'udp4' });
    socket.bind({ port, address: host, exclusive: true });
    await once(socket, 'listening');
    return new DirectUdpPort(socket);
  }

  explainSilence(): undefined {
    return undefined;
  }
}

class DirectUdpPort implements ExitUdpPort {
  onMessage: ExitUdpPort['onMessage'] = () => {};
  readonly address: string;
  readonly port: number;
  readonly #socket: DgramSocket;

  constructor(socket: DgramSocket) {
    const bound = socket.address();
    this.address = bound.address;
    this.port = bound.port;
    this.#socket = socket;
    socket.on('message', (message, { address, port }) => this.onMessage(message, { host: address, port }));
    socket.on('error', () => {}); // a datagram was refused, which UDP may do
  }

  send(message: Uint8Array, { host, port }: Destination): void {
    if (this.#socket.getSendQueueSize() < MAX_QUEUED_BYTES) this.#socket.send(message, port, host, () => {});
  }

  close(): void {
    this.#socket.close();
  }
}
