import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';

/** Whether something listens behind a control socket. */
export async function isAnswered(path: string): Promise<boolean> {
  if (!existsSync(path)) return false;
  return await new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

/** Opens a connection and says nothing. */
export async function openControlSocket(path: string): Promise<Socket> {
  const socket = connect(path);
  await once(socket, 'connect');
  socket.on('error', () => {}); // the daemon may cut the connection
  return socket;
}

/** Sends a request in a connection of its own. @returns The whole answer. */
export async function request(path: string, words: string): Promise<string> {
  const socket = connect({ path, allowHalfOpen: true });
  socket.end(words);
  return await text(socket);
}
