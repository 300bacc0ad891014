import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { connect, isIPv6, type Socket as TcpSocket } from 'node:net';

import type { Addon } from '../addon/interface.js';
import { WireGuardError } from '../core/errors.js';
import { errnoName } from './errno.js';

/** Numbers of IP (IPPROTO_TCP, IPPROTO_UDP). */
const TCP = 6;
const UDP = 17;

/** Node's sockets with a firewall mark, by which rules of the host tell their packets from all others. Source: socket(7) SO_MARK. */
export class MarkedSockets {
  readonly #addon: Addon;
  readonly #mark: number;

  constructor(addon: Addon, mark: number) {
    this.#addon = addon;
    this.#mark = mark;
  }

  /**
   * Opens a descriptor for one connection, which `net.connect` takes over as `fd`, beside the same address as `host`.
   *
   * @throws {WireGuardError} ERR_SOCKET_MARK
   */
  openTcp(address: string): number {
    return this.#open(isIPv6(address) ? 6 : 4, TCP);
  }

  /** @param host An address. @throws {WireGuardError} ERR_SOCKET_MARK */
  connect({ host, port }: { readonly host: string; readonly port: number }): TcpSocket {
    return connect({ fd: this.openTcp(host), host, port });
  }

  /** @throws {WireGuardError} ERR_SOCKET_MARK */
  createUdpSocket(type: 'udp4' | 'udp6'): UdpSocket {
    const fd = this.#open(type === 'udp6' ? 6 : 4, UDP);
    return createSocket(type).bind({ fd });
  }

  #open(family: 4 | 6, protocol: number): number {
    const fd = this.#addon.markedOpen(family, protocol, this.#mark);
    if (fd >= 0) return fd;
    throw new WireGuardError('ERR_SOCKET_MARK', `A socket with a firewall mark was refused: ${errnoName(-fd)}.`);
  }
}
