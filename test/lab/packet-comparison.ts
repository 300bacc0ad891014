/**
 * The same random packets through one tunnel or another, for comparison.
 *
 * Behind each host of `two-hosts.ts` is a TUN interface that the test holds. The kernel forwards between it and the
 * tunnel, and cuts super-packets where the next interface has no offloads.
 *
 * ```text
 *   src0  198.18.1.0/24 fd00:0:0:51::/64 ─▶ left ─ ─ ─ tunnel ─ ─ ─ right ─▶ 198.18.2.0/24 fd00:0:0:52::/64  dst0
 * ```
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Lab } from './lab.js';
import { openTunnel, type Tunnel, type TunnelOptions } from './two-hosts.js';

const PROGRAM = fileURLToPath(new URL('packet-exchange.js', import.meta.url));
const SOURCES = ['198.18.1.0/24', 'fd00:0:0:51::/64'];
const DESTINATIONS = ['198.18.2.0/24', 'fd00:0:0:52::/64'];
const SEED = 20_250_601;
/** The number of rounds, each of some dozens of packets. */
const ROUNDS = 40;
/** More than the packets of a round: none may be lost for want of room. */
const QUEUE_PACKETS = 20_000;

export interface Outcome {
  readonly packets: readonly Uint8Array[];
  /** Packets and super-packets that the kernel on the right got from the daemon. */
  readonly writes: number;
}

/** Sends the packets from left to right through a tunnel of its own. */
export async function carryPackets(t: Parameters<typeof Lab.open>[0], options: TunnelOptions): Promise<Outcome> {
  const tunnel = await openTunnel(t, options);
  const resultPath = join(tunnel.lab.folder, 'arrived');
  const args = [PROGRAM, String(SEED), String(ROUNDS), resultPath];
  const program = tunnel.left.start(process.execPath, args, { isInteractive: true });
  await program.says(/ready/);
  await layRoutes(tunnel);
  program.write('go\n');
  assert.equal(await program.exited, 0, program.stderr);
  const lines = readFileSync(resultPath, 'utf8').split('\n').filter(Boolean);
  return { packets: lines.map((line) => Buffer.from(line, 'hex')), writes: await receivedBy(tunnel) };
}

async function layRoutes({ left, right, leftWireguard, rightWireguard }: Tunnel): Promise<void> {
  await left.ip(`link set dst0 netns ${right.namespace}`);
  for (const [host, interfaceName] of [
    [left, leftWireguard.name],
    [left, 'src0'],
    [right, 'dst0'],
  ] as const)
    await host.ip(`link set ${interfaceName} txqueuelen ${QUEUE_PACKETS} up`);
  await Promise.all([left.forwards(), right.forwards()]);
  await leftWireguard.setPeer({ publicKey: rightWireguard.publicKey, allowedIps: DESTINATIONS.join() });
  await rightWireguard.setPeer({ publicKey: leftWireguard.publicKey, allowedIps: SOURCES.join() });
  for (const net of DESTINATIONS) {
    await left.ip(`route add ${net} dev ${leftWireguard.name}`);
    await right.ip(`route add ${net} dev dst0`);
  }
}

async function receivedBy({ right, rightWireguard }: Tunnel): Promise<number> {
  const [link] = JSON.parse(await right.ip(`-j -s link show dev ${rightWireguard.name}`));
  return link.stats64.rx.packets;
}
