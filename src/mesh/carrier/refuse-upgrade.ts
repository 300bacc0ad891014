import type { Duplex } from 'node:stream';

/**
 * Refuses to make a WebSocket of a connection, and ends the connection on both sides: with its own end alone the other side could keep
 * it open for ever, since no limit on requests applies any more.
 *
 * @param status Code and reason, as in `404 Not Found`.
 */
export function refuseUpgrade(stream: Duplex, status: string): void {
  stream.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`, () => stream.destroy());
}
