import { createSocket } from 'node:dgram';
import { closeSync } from 'node:fs';

import type { Addon } from '../../addon/interface.js';
import { ECHO_REPLY4, ECHO_REPLY6, ECHO_REQUEST4, ECHO_REQUEST6, Echo } from '../../netstack/icmp/echo.js';
import { ICMP_HEADER_BYTES } from '../../netstack/icmp/icmp-error.js';
import { readUint16 } from '../../wire/ip-header.js';
import type { EchoFlow, EchoSender } from './echo-sender.js';

/** `dgram` wants a port, which ICMP has not. */
const ANY_PORT = 1;

/**
 * Echoes by the ping sockets of Linux: the kernel puts in an identifier of its own and the checksum, and hands back the
 * replies to it only. Source: icmp(7).
 */
export class SocketEchoes implements EchoSender {
  readonly #addon: Addon;

  constructor(addon: Addon) {
    this.#addon = addon;
  }

  /** Whether this process may have such sockets: `net.ipv4.ping_group_range` of the network namespace decides. */
  static isPossible(addon: Addon): boolean {
    const descriptor = addon.pingOpen(4);
    if (descriptor >= 0) closeSync(descriptor);
    return descriptor >= 0;
  }

  open(family: 4 | 6, onReply: (sequence: number, data: Uint8Array) => void): EchoFlow {
    const descriptor = this.#addon.pingOpen(family);
    if (descriptor < 0) return { send: () => {}, close: () => {} };
    const socket = createSocket({
      type: `udp${family}`,
      lookup: (address, _options, callback) => callback(null, address, family),
    });
    const [request, reply] = family === 4 ? [ECHO_REQUEST4, ECHO_REPLY4] : [ECHO_REQUEST6, ECHO_REPLY6];
    socket.on('error', () => {}); // what the path reports is no reply
    socket.on('message', (message) => {
      if (message.length >= ICMP_HEADER_BYTES && message[0] === reply)
        onReply(readUint16(message, 6), message.subarray(ICMP_HEADER_BYTES));
    });
    socket.bind({ fd: descriptor });
    return {
      send: ({ target, sequence, data }) => {
        socket.send(Echo.message(request, 0, sequence, data), ANY_PORT, target, () => {});
      },
      close: () => socket.close(),
    };
  }
}
