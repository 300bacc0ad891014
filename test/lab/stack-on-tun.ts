/**
 * A TUN interface of the kernel with our stack on the other side, and no WireGuard between them.
 *
 * `node stack-on-tun.js NAME ADDRESS`. Ports: 9000 echo, 9001 a hash of what came after the peer's FIN, 9002 sends ten megabytes.
 */
import { createHash } from 'node:crypto';

import { loadAddon } from '../../src/addon/load.js';
import { parseIpAddress } from '../../src/control/ip-text.js';
import { PacketBatch } from '../../src/core/packets/packet-batch.js';
import { LinuxTun } from '../../src/host/linux-tun.js';
import { SystemClock } from '../../src/host/system-clock.js';
import type { Tun } from '../../src/host/tun.js';
import type { SocketHost } from '../../src/rootless/socket-host.js';
import { StackLoop } from '../../src/rootless/stack-loop.js';
import { TunnelServer } from '../../src/rootless/tunnel-server.js';
import type { TunnelSocket } from '../../src/rootless/tunnel-socket.js';

const BATCH_ROWS = 256;
const BATCH_BYTES = 1024 * 1024;
const TICK_MS = 5;

const [name = '', address = ''] = process.argv.slice(2);
const clock = SystemClock.create();
const loop = new StackLoop({ name, clock, addresses: [parseIpAddress(address)!], mtu: 1_420 });
const kernel = LinuxTun.open(loadAddon(), name);
carry(kernel, loop.tun);
carry(loop.tun, kernel);
setInterval(() => {
  if (loop.tun.nextDeadline() > clock.nowMs()) return;
  loop.tun.runDue(clock.nowMs());
  loop.tun.wake();
}, TICK_MS);

const host: SocketHost = { loop, lookup: () => Promise.resolve([]), ref: () => {}, unref: () => {} };
for (const [port, handler] of [
  [9_000, (socket: TunnelSocket) => socket.on('error', () => {}).pipe(socket)],
  [9_001, answerWithHash],
  [9_002, (socket: TunnelSocket) => socket.end(Buffer.alloc(10_000_000, 'wiretype'))],
] as const)
  new TunnelServer(host, { allowHalfOpen: true }, handler).listen(port);
process.stdout.write('ready\n');

function carry(from: Tun, to: Tun): void {
  const batch = new PacketBatch(BATCH_ROWS, BATCH_BYTES);
  from.onReadable = () => {
    for (from.read(batch); batch.count > 0; from.read(batch)) {
      to.write(batch);
      if (to === loop.tun) loop.tun.wake(); // what came in is answered
    }
  };
}

function answerWithHash(socket: TunnelSocket): void {
  const sum = createHash('sha256');
  socket.on('data', (part) => sum.update(part)).on('end', () => socket.end(sum.digest('hex')));
}
