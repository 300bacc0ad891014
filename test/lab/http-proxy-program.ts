/**
 * An HTTP proxy for CONNECT alone: run inside a host, as `node http-proxy-program.js ADDRESS NAME=ADDRESS…`. It listens on port 3128,
 * looks up no names but those, and prints where it connects to.
 */
import { createServer } from 'node:http';
import { connect } from 'node:net';

const [address = '', ...names] = process.argv.slice(2);
const known = new Map(names.map((entry) => entry.split('=') as [string, string]));

const server = createServer((_, response) => response.writeHead(405).end());
server.on('connect', ({ url = '' }, client, head) => {
  const [name = '', port] = url.split(':');
  process.stdout.write(`CONNECT ${url}\n`);
  const host = known.get(name);
  if (host === undefined) return void client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
  const target = connect(Number(port), host, () => {
    client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
    target.write(head);
    target.pipe(client).pipe(target);
  });
  target.on('error', () => client.destroy());
  client.on('error', () => target.destroy());
});
server.listen(3_128, address, () => process.stdout.write('ready\n'));
