import { connect, type Socket } from 'node:net';

const NEWLINE = 0x0a;

/**
 * Sends one request to a control socket. Every request is one connection, as `wg` does it.
 *
 * @param parts The request in pieces, which stay the caller's.
 * @returns The answer up to the first empty line, or to where the daemon closed. The caller clears it.
 * @throws {Error} The system's own error, with `errno`.
 */
export function exchange(path: string, parts: readonly Uint8Array[]): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(path);
    const chunks: Buffer[] = [];
    const finish = () => {
      socket.destroy();
      const reply = Buffer.concat(chunks);
      for (const chunk of chunks) chunk.fill(0);
      resolve(reply);
    };
    socket.on('error', reject);
    socket.on('end', finish);
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      if (endsReply(chunks)) finish();
    });
    for (const part of parts) socket.write(part);
  });
}

/** The last two bytes, wherever they were cut, are an empty line. */
function endsReply(chunks: readonly Buffer[]): boolean {
  const last = chunks.at(-1)!;
  if (last.at(-1) !== NEWLINE) return false;
  return (last.length > 1 ? last.at(-2) : chunks.at(-2)?.at(-1)) === NEWLINE;
}
