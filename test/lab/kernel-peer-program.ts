/**
 * The kernel's side of `library-peers.test.ts`: sockets of Node on the kernel's TCP.
 *
 * `node kernel-peer-program.js serve ADDRESS`: 7000 echo, 7001 reset after accepting, 7002 holds connections and says how they
 * end. `thousand HOST PORT`: that many echoes at once. `reset HOST PORT`, `end HOST PORT`: prints how a connection ended.
 */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';

const [command, host = '', port = '0'] = process.argv.slice(2);

if (command === 'serve') {
  for (const [number, handler] of [
    [7_000, (socket: Socket) => socket.on('error', () => {}).pipe(socket)],
    [7_001, (socket: Socket) => socket.resetAndDestroy()],
    [7_002, (socket: Socket) => void howItEnds(socket).then((end) => process.stdout.write(`${end}\n`))],
  ] as const)
    await once(createServer(handler).listen(number, host, 1_024), 'listening');
  process.stdout.write('ready\n');
} else if (command === 'thousand') {
  const sockets = Array.from({ length: 1_000 }, () => connect({ host, port: Number(port) }));
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  const answers = await Promise.all(
    sockets.map(async (socket, i) => {
      socket.end(`number ${i}`);
      return (await buffer(socket)).toString() === `number ${i}`;
    }),
  );
  process.stdout.write(`${answers.filter(Boolean).length}`);
} else {
  const socket = connect({ host, port: Number(port) });
  await once(socket, 'connect');
  if (command === 'reset') socket.resetAndDestroy();
  else process.stdout.write(await howItEnds(socket.resume(), () => socket.write('x')));
}

async function howItEnds(socket: Socket, start: () => void = () => {}): Promise<string> {
  let end = 'end';
  socket.on('error', (error: NodeJS.ErrnoException) => {
    end = `${error.syscall} ${error.code}`;
  });
  start();
  socket.resume();
  await new Promise((resolve) => socket.once('close', resolve));
  return end;
}
