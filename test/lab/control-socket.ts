import { existsSync } from 'node:fs';
import { connect } from 'node:net';

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
