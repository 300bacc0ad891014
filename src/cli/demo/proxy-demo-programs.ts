/**
 * The programs of `wiretype demo --proxy`.
 *
 *     node proxy-demo-programs.js web ADDRESS              a web server on port 80, which greets every client by its address
 *     node proxy-demo-programs.js fetch FILE ADDRESS       fetches its page through a tunnel of its own, by the library
 */
import { once } from 'node:events';
import { createServer } from 'node:http';

const [role, ...args] = process.argv.slice(2);
if (role === 'web') await serve(args[0]!);
else if (role === 'fetch') await fetchPage(args[0]!, args[1]!);

async function serve(address: string): Promise<void> {
  const server = createServer(({ socket }, response) => {
    response.end(`Hello ${socket.remoteAddress}, this is ${address} behind the tunnel.\n`);
  });
  server.listen(80, address);
  await once(server, 'listening');
  process.stdout.write('listening\n');
}

async function fetchPage(file: string, address: string): Promise<void> {
  const { openTunnel } = await import('../../rootless/open-tunnel.js');
  await using tunnel = await openTunnel(file);
  const response = await fetch(`http://${address}/`, { dispatcher: tunnel.dispatcher } as RequestInit);
  process.stdout.write(await response.text());
}
