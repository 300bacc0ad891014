import type { LookupAddress } from 'node:dns';
import type { Duplex } from 'node:stream';

/** The other end of a connection, as a client names it: an address or a name. */
export interface Destination {
  readonly host: string;
  readonly port: number;
}

/** A destination, with its addresses where they have been looked up and checked: exactly those are connected to. */
export interface DialTarget extends Destination {
  readonly addresses?: readonly LookupAddress[];
}

/**
 * A way out of the proxy: a tunnel, or the sockets of this host.
 *
 * Errors have the codes of Node's own sockets (`ECONNREFUSED`, `EHOSTUNREACH`, `ENOTFOUND`, …).
 */
export interface Exit {
  readonly name: string;
  /** Resolves with a connected stream that can be half closed. The signal gives up on the attempt. */
  connect(to: DialTarget, signal: AbortSignal): Promise<ExitStream>;
  /** Finds the addresses of a name, inside of the tunnel or with the resolver of this host. */
  lookup(host: string, signal: AbortSignal): Promise<readonly LookupAddress[]>;
  /** Listens on the side of the exit; port 0 is any free one, `0.0.0.0` and `::` are all addresses. */
  listen(at: Destination, onConnection: (stream: ExitStream) => void): Promise<ExitServer>;
  /** Opens an unconnected UDP port on the side of the exit; port 0 is any free one. */
  openUdp(at: Destination): Promise<ExitUdpPort>;
  /** Returns a clause on why nothing answers at an address, such as "there is no session with peer …", if it can be seen from here. */
  explainSilence(address: string | undefined): string | undefined;
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
  /** Sends to an address, not to a name. A refused datagram is dropped, as UDP may do. */
  send(message: Uint8Array, to: Destination): void;
  close(): void;
}
