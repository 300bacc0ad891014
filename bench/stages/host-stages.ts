import { execFileSync } from 'node:child_process';

import { loadAddon } from '../../src/addon/load.js';
import { PacketBatch } from '../../src/core/packets/packet-batch.js';
import { LinuxTun } from '../../src/host/linux-tun.js';
import { NativeSocket } from '../../src/host/native-socket.js';
import { Endpoint } from '../../src/wire/endpoint.js';
import type { StageClock } from './stage-clock.js';
import { fillWithTcp } from './tcp-packets.js';

/** Eight super-packets of 45 segments. */
const ROWS = 360;
const ARENA_BYTES = 1024 * 1024;
const LOOPBACK = Uint8Array.of(127, 0, 0, 1);

/** Writes a TCP flow to one TUN, has the kernel forward it to another, and reads it there. Needs a network namespace. */
export function timeTunStages(clock: StageClock, packetBytes: number, rounds: number): void {
  const addon = loadAddon();
  const [from, to] = [LinuxTun.open(addon, 'from'), LinuxTun.open(addon, 'to')];
  ip('addr add 10.1.0.1/24 dev from');
  ip('addr add 10.2.0.1/24 dev to');
  ip('link set from up');
  ip('link set to up');
  execFileSync('sysctl', ['-qw', 'net.ipv4.ip_forward=1']);

  const [written, read] = [new PacketBatch(ROWS, ARENA_BYTES), new PacketBatch(ROWS, ARENA_BYTES)];
  const flow = { source: [10, 1, 0, 2], destination: [10, 2, 0, 2], packetBytes };
  let sequence = 0;
  while (to.read(read) > 0); // what the system says by itself
  for (let round = -rounds; round < rounds; round++) {
    if (round === 0) clock.restart();
    sequence = fillWithTcp(written, flow, ROWS, sequence);
    clock.time('TUN write, merged, with forwarding', ROWS, () => from.write(written));
    let rows = 0;
    clock.time('TUN read, split', ROWS, () => {
      for (let more = to.read(read); more > 0; more = to.read(read)) rows += more;
    });
    if (rows !== ROWS) throw new Error(`${ROWS} packets were written, ${rows} came back`);
  }
  from.close();
  to.close();
}

/** Sends batches from one socket to another over the loopback interface. */
export function timeSocketStages(clock: StageClock, datagramBytes: number, rounds: number): void {
  const addon = loadAddon();
  const [from, to] = [NativeSocket.open(addon, 0), NativeSocket.open(addon, 0)];
  const [sent, received] = [new PacketBatch(ROWS, ARENA_BYTES), new PacketBatch(ROWS, ARENA_BYTES)];
  const endpoint = Endpoint.from(LOOPBACK, to.port);
  for (let row = 0; row < ROWS; row++) {
    sent.appendRow(datagramBytes);
    sent.setEndpoint(row, endpoint.words, 0);
  }
  for (let round = -rounds; round < rounds; round++) {
    if (round === 0) clock.restart();
    clock.time('UDP send', ROWS, () => from.send(sent, 0));
    let rows = 0;
    clock.time('UDP receive', ROWS, () => {
      for (let more = to.receive(received); more > 0; more = to.receive(received)) rows += more;
    });
    if (rows !== ROWS) throw new Error(`${ROWS} datagrams were sent, ${rows} arrived`);
  }
  from.close();
  to.close();
}

function ip(words: string): void {
  execFileSync('ip', words.split(' '));
}
