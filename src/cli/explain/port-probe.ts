import { createSocket } from 'node:dgram';

/** Long enough for a round trip, short enough for a waiting user. */
const PATIENCE_MS = 700;

/**
 * The result of a datagram to a port: no listener on the other host (`refused`), blocked by this host
 * (`forbidden`), no route at a router (`unreachable`), or no answer (`quiet`), WireGuard's reply to a stranger.
 */
export type ProbeResult = 'refused' | 'forbidden' | 'unreachable' | 'quiet';

const RESULTS: Readonly<Record<string, ProbeResult>> = {
  ECONNREFUSED: 'refused',
  EPERM: 'forbidden',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
};

/**
 * Sends one byte, which is no WireGuard message, and listens for an ICMP error.
 *
 * Source: udp(7), errors of connected sockets; whitepaper §5.1 (silence).
 */
export async function probePort(address: string, port: number, patienceMs = PATIENCE_MS): Promise<ProbeResult> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  try {
    return await new Promise<ProbeResult>((resolve) => {
      const limit = setTimeout(() => resolve('quiet'), patienceMs);
      const settle = (error: NodeJS.ErrnoException | null | undefined): void => {
        const result = RESULTS[error?.code ?? ''];
        if (result === undefined) return;
        clearTimeout(limit);
        resolve(result);
      };
      socket.on('error', settle);
      // Not as a callback of `connect`, which is called for failures as well.
      socket.once('connect', () => socket.send(Uint8Array.of(0), settle));
      socket.connect(port, address);
    });
  } finally {
    socket.close();
  }
}
