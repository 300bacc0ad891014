import { execFileSync } from 'node:child_process';

import { loadAddon } from '../../src/addon/load.js';
import { PacketBatch } from '../../src/core/packets/packet-batch.js';
import { LinuxTun } from '../../src/host/linux-tun.js';
import { NativeSocket } from '../../src/host/native-socket.js';
import { median } from '../statistics.js';
import { connectDevices, nowMs } from './device-pair.js';
import { fillWithTcp } from './tcp-packets.js';

const ROWS = 256;
const ARENA_BYTES = 1024 * 1024;
const PACKET_BYTES = 1_420;
const WARM_UP_ROUNDS = 1_000;
const ROUNDS = 50;
const MEASUREMENTS = 15;
/** Half a minute or so. */
const MOST_LOOKS = 10_000_000;

/**
 * The heap that a packet costs on the whole way: out of a TUN, through the stages of one end into its socket, into the
 * socket of the other end, through its stages and into its TUN. Wants `--expose-gc`.
 *
 * ```text
 * source ─ kernel ─▶ leftTun ─▶ left ─▶ leftSocket ─ loopback ─▶ rightSocket ─▶ right ─▶ rightTun
 * ```
 */
export function heapBytesPerPacket(): number {
  const gc = globalThis.gc;
  if (gc === undefined) throw new Error('needs --expose-gc');
  const round = openWay();
  let packets = 0;
  for (let i = 0; i < WARM_UP_ROUNDS; i++) packets += round();
  const measured = Array.from({ length: MEASUREMENTS }, () => {
    packets = 0;
    gc();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < ROUNDS; i++) packets += round();
    return (process.memoryUsage().heapUsed - before) / packets;
  });
  return Math.max(median(measured), 0);
}

/** @returns What sends one batch all the way, and says how many packets arrived. */
function openWay(): () => number {
  const addon = loadAddon();
  const [source, leftTun, rightTun] = [openTun('source', 1), openTun('left', 2), openTun('right', 3)];
  // Packets that the right side writes end there.
  execFileSync('sysctl', ['-qw', 'net.ipv4.ip_forward=1', 'net.ipv4.conf.right.forwarding=0']);
  const [leftSocket, rightSocket] = [NativeSocket.open(addon, 0), NativeSocket.open(addon, 0)];
  const flow = { source: [10, 1, 0, 2], destination: [10, 2, 0, 2], packetBytes: PACKET_BYTES };
  const [written, outbound, inbound] = [makeBatch(), makeBatch(), makeBatch()];
  fillWithTcp(outbound, flow, 1, 0);
  const [left, right] = connectDevices(
    [
      { innerNetwork: [10, 1, 0, 0], port: leftSocket.port },
      { innerNetwork: [10, 2, 0, 0], port: rightSocket.port },
    ],
    outbound,
  );
  while (leftTun.read(outbound) > 0); // what the system says by itself
  fillWithTcp(written, flow, ROWS, 0);

  return () => {
    const now = nowMs();
    source.write(written);
    // On a busy machine the kernel forwards a moment later.
    for (let looks = 0; looks < MOST_LOOKS; looks++) {
      let packets = receive(now);
      while (leftTun.read(outbound) > 0) {
        left.device.route(outbound, now);
        left.aead.seal(outbound);
        leftSocket.send(outbound, 0);
        packets += receive(now);
      }
      if (packets > 0) return packets;
    }
    throw new Error('no packet arrived');
  };

  function receive(now: number): number {
    let packets = 0;
    while (rightSocket.receive(inbound) > 0) {
      right.device.classify(inbound, now);
      right.aead.open(inbound);
      right.device.admit(inbound, now);
      rightTun.write(inbound);
      packets += inbound.count;
    }
    return packets;
  }
}

function makeBatch(): PacketBatch {
  return new PacketBatch(ROWS, ARENA_BYTES);
}

function openTun(name: string, network: number): LinuxTun {
  const tun = LinuxTun.open(loadAddon(), name);
  execFileSync('ip', ['addr', 'add', `10.${network}.0.1/24`, 'dev', name]);
  execFileSync('ip', ['link', 'set', name, 'up']);
  return tun;
}
