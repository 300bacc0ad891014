/** One script for two networks: the sockets of Node on loopback, and those of a pair of hosts in tunnels. */
import dgram from 'node:dgram';
import net from 'node:net';

import type { TunnelHost } from '../../src/rootless/tunnel-host.js';
import { RIGHT } from './pair-of-hosts.js';

/** The members that the scripts use. `net.Socket` has them by its types; a `TunnelSocket` has to have them. */
export interface NetworkSide {
  /** The address of the server's host. */
  readonly host: string;
  connect(options: { port: number; host: string } & net.SocketConstructorOpts & { timeout?: number }): net.Socket;
  createSocket(options?: net.SocketConstructorOpts): net.Socket;
  createServer(options: net.ServerOpts, onConnection?: (socket: net.Socket) => void): net.Server;
  createUdpSocket(isServer: boolean): dgram.Socket;
}

export const nodeSide: NetworkSide = {
  host: '127.0.0.1',
  connect: (options) => net.connect(options),
  createSocket: (options) => new net.Socket(options),
  createServer: (options, onConnection) => net.createServer(options, onConnection),
  createUdpSocket: () => dgram.createSocket('udp4'),
};

/** The client is the left host, the server the right one. */
export function tunnelSide(left: TunnelHost, right: TunnelHost): NetworkSide {
  return {
    host: RIGHT[4],
    connect: (options) => left.connect(options) as unknown as net.Socket,
    createSocket: (options) => left.createSocket(options) as unknown as net.Socket,
    createServer: (options, onConnection) =>
      right.createServer(options, onConnection as never) as unknown as net.Server,
    createUdpSocket: (isServer) => (isServer ? right : left).createUdpSocket('udp4') as unknown as dgram.Socket,
  };
}
