/**
 * Sends random packets into a host at one TUN interface and takes what the other end of the path forwards to another:
 * `node packet-exchange.js SEED ROUNDS RESULT-FILE`.
 *
 * Makes the interfaces `src0`, which takes super-packets, and `dst0`, which has no offloads, says "ready", and begins when
 * it is told a line: whoever started it gives the interfaces their places and routes until then. The result is a line of
 * hexadecimal for each packet that arrived, in order. The same seed sends the same.
 */
import { once } from 'node:events';
import { readdirSync, readlinkSync, writeFileSync, writeSync } from 'node:fs';

import { loadAddon } from '../../src/addon/load.js';
import { PacketBatch } from '../../src/core/packets/packet-batch.js';
import { LinuxTun } from '../../src/host/linux-tun.js';
import { SeededRandom } from '../../src/sim/seeded-random.js';
import { innerPacket, load16, UDP } from '../addon/inner-packet.js';
import { type Emission, packetsOf, RandomTraffic, trafficAddresses } from '../addon/random-traffic.js';
import { Gso, PLAIN, withVirtioHeader } from '../addon/super-packet.js';
import { waitFor } from './wait.js';

const MARKER_PORT = 999;
const EMISSIONS_PER_ROUND = 12;
const ICMP = 1;
const ICMPV6 = 58;

const [seed = '', rounds = '', resultPath = ''] = process.argv.slice(2);
const addon = loadAddon();
const source = LinuxTun.open(addon, 'src0');
const descriptor = tunDescriptor();
const sink = LinuxTun.open(addon, 'dst0', { offload: false });

const destinations = ([4, 6] as const).map((version) => Buffer.from(trafficAddresses(version, 0)[1]));
const arrived: Uint8Array[] = [];
let lastMarker = -1;
const batch = new PacketBatch(256, 1 << 20);
sink.onReadable = () => {
  sink.read(batch);
  for (let row = 0; row < batch.count; row++)
    take(batch.bytes.slice(batch.offset[row], batch.offset[row] + batch.length[row]));
};

process.stdout.write('ready\n');
await once(process.stdin, 'data');
process.stdin.destroy();
await exchange();
writeFileSync(resultPath, arrived.map((packet) => `${Buffer.from(packet).toString('hex')}\n`).join(''));
source.close();
sink.close();

/** Nothing of a round is on its way any more when the marker behind it has arrived. */
async function exchange(): Promise<void> {
  const traffic = new RandomTraffic(new SeededRandom(Number(seed)));
  for (let round = 0; round <= Number(rounds); round++) {
    for (const emission of round === 0 ? [] : traffic.emissions(EMISSIONS_PER_ROUND)) emit(emission);
    emit({ header: PLAIN, packet: marker(round) });
    await waitFor(`the marker of round ${round}`, () => lastMarker === round);
  }
}

/** The kernel refuses what says it is neither IPv4 nor IPv6, as some damaged packets do, and before Linux 6.2 UDP that is to be cut. */
function emit(emission: Emission): void {
  const { header, packet } = emission;
  const version = packet[0]! >> 4;
  if (version !== 4 && version !== 6) return;
  if (header.gsoType !== Gso.Udp || source.offloads.udp) writeSync(descriptor, withVirtioHeader(header, packet));
  else for (const each of packetsOf(emission)) writeSync(descriptor, withVirtioHeader(PLAIN, each));
}

function marker(round: number): Uint8Array {
  return innerPacket({
    version: 4,
    protocol: UDP,
    addresses: trafficAddresses(4, 1),
    sourcePort: MARKER_PORT,
    payload: Uint8Array.of(round >> 8, round),
  });
}

/** Filters the hosts' own packets, such as ICMP, which are not part of the result. */
function take(packet: Uint8Array): void {
  const isIpv4 = packet[0]! >> 4 === 4;
  const destination = isIpv4 ? packet.subarray(16, 20) : packet.subarray(24, 40);
  const protocol = isIpv4 ? packet[9] : packet[6];
  if (protocol === ICMP || protocol === ICMPV6 || !destinations.some((each) => each.equals(destination))) return;
  if (packet[0] === 0x45 && protocol === UDP && packet.length === 30 && load16(packet, 20) === MARKER_PORT)
    lastMarker = load16(packet, 28);
  else arrived.push(packet);
}

/** The descriptor of the one TUN that is open. */
function tunDescriptor(): number {
  for (const name of readdirSync('/proc/self/fd'))
    try {
      if (readlinkSync(`/proc/self/fd/${name}`) === '/dev/net/tun') return Number(name);
    } catch {
      // The descriptor by which the folder itself was read.
    }
  throw new Error('there is no TUN');
}
