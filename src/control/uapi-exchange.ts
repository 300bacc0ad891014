import { connect, type Socket } from 'node:net';

const NEWLINE = 0x0a;
/** A daemon answers within milliseconds; a daemon that is stopped, or hangs, never does. */
export const REPLY_LIMIT_MS = 10_000;
const ETIMEDOUT = 110;

/**
 * Sends one request to a control socket. Every request is one connection, as `wg` does it.
 *
 * @param parts The request in pieces, which belong to the caller.
 * @param limitMs The longest silence of the daemon.
 * @returns The answer up to the first empty line, or to the end of the connection. The caller clears it.
 * @throws {Error} The system's own error, with `errno`; ETIMEDOUT from a daemon that stays silent.
 */
export function exchange(path: string, parts: readonly Uint8Array[], limitMs = REPLY_LIMIT_MS): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(path);
    const chunks: Buffer[] = [];
    const finish = () => {
      socket.destroy();
      const reply = Buffer.concat(chunks);
      for (const chunk of chunks) chunk.fill(0);
      resolve(reply);
    };
    socket.setTimeout(limitMs, () => socket.destroy(timedOut(path)));
    socket.on('error', (error) => {
      for (const chunk of chunks) chunk.fill(0);
      reject(error);
    });
    socket.on('end', finish);
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      if (endsReply(chunks)) finish();
    });
    for (const part of parts) socket.write(part);
  });
}

/** Tests whether the last two bytes, wherever they were cut, are an empty line. */
function endsReply(chunks: readonly Buffer[]): boolean {
  const last = chunks.at(-1)!;
  if (last.at(-1) !== NEWLINE) return false;
  return (last.length > 1 ? last.at(-2) : chunks.at(-2)?.at(-1)) === NEWLINE;
}

function timedOut(path: string): Error {
  const details = { errno: -ETIMEDOUT, code: 'ETIMEDOUT', syscall: 'read', address: path };
  return Object.assign(new Error(`no answer within ${REPLY_LIMIT_MS / 1_000} s`), details);
}
