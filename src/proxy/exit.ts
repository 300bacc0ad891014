import type { LookupAddress } from 'node:dns';
import type { Duplex } from 'node:stream';

/** The other end of a connection, as a client names it: an address or a name. */
export interface Destination {
  readonly host: string;
  readonly port: number;
}

/**
 * A way out of the proxy: a tunnel, or the sockets of this host.
 *
 * Errors have the codes of Node's own sockets (`ECONNREFUSED`, `EHOSTUNREACH`, `ENOTFOUND`, …).
 */
export interface Exit {
  readonly name: string;
  /** Resolves with a connected stream that can be half closed. The signal gives up on the attempt. */
  connect(to: Destination, signal: AbortSignal): Promise<ExitStream>;
  /** Finds the addresses of a name, inside of the tunnel or with the resolver of this host. */
  lookup(host: string, signal: AbortSignal): Promise<readonly LookupAddress[]>;
  /** Listens on the side of the exit; port 0 is any free one. */
  listen(at: Destination, onConnection: (stream: ExitStream) => void): Promise<ExitServer>;
  /** Opens an unconnected UDP port on the side of the exit; port 0 is any free one. */
  openUdp(at: Destination): Promise<ExitUdpPort>;
}

/** A TCP connection on the side of the exit. */
export interface ExitStream extends Duplex {
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  /** Ends the connection by RST. */
  resetAndDestroy(): unknown;
}

export interface ExitServer {
  readonly address: string;
  readonly port: number;
  close(): void;
}

export interface ExitUdpPort {
  readonly address: string;
  readonly port: number;
  onMessage: (message: Uint8Array, from: Destination) => void;
  /** Datagrams to an address, not to a name. A refused datagram is dropped, as UDP may do. */
  send(message: Uint8Array, to: Destination): void;
  close(): void;
}
