import assert from 'node:assert/strict';
import { execFileSync, type StdioOptions } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { readdirSync, readlinkSync } from 'node:fs';
import { afterEach, describe, it } from 'node:test';

import { loadAddon } from '../../src/addon/load.js';
import { PacketBatch } from '../../src/core/packets/packet-batch.js';
import { LinuxTun } from '../../src/host/linux-tun.js';
import { batchOf, describeTun, payloadOf, Reader, type TunBench } from '../conformance/tun.js';
import { waitFor } from '../lab/wait.js';
import { innerPacket, UDP } from './inner-packet.js';
import { addNamespace, inOwnNamespace, ip } from './own-namespace.js';

const addon = loadAddon();
const INSIDE = { 4: '10.9.0.1', 6: 'fd09::1' } as const;
const FAR = { 4: '10.9.0.2', 6: 'fd09::2' } as const;
const INSIDE_BYTES = { 4: Uint8Array.of(10, 9, 0, 1), 6: Uint8Array.of(0xfd, 9, ...new Array(13).fill(0), 1) } as const;
const FAR_BYTES = { 4: Uint8Array.of(10, 9, 0, 2), 6: Uint8Array.of(0xfd, 9, ...new Array(13).fill(0), 2) } as const;
const EPERM = 1;
let interfaces = 0;

it(...inOwnNamespace(import.meta.url, defineTests));

function defineTests(): void {
  describeTun('LinuxTun with offloads', () => makeBench(true));
  describeTun('LinuxTun without offloads', () => makeBench(false));
  describe('LinuxTun', defineLinuxTun);
}

function defineLinuxTun(): void {
  afterEach(() => {
    for (const bench of benches.splice(0)) bench.end();
  });

  it('enables TCP and UDP offloads that the kernel supports, or none on request', () => {
    const on = LinuxTun.open(addon, 'wton');
    assert.equal(on.offloads.tcp, true);
    on.close();
    const off = LinuxTun.open(addon, 'wtoff', { offload: false });
    assert.deepEqual(off.offloads, { tcp: false, udp: false });
    off.close();
  });

  it('refuses names that no interface can have', () => {
    for (const name of ['', '.', '..', 'a/b', 'a b', 'a:b', 'wg%d', 'x'.repeat(16), 'ü'.repeat(8), 'a\0b'])
      assert.throws(() => LinuxTun.open(addon, name), { name: 'WireGuardError', code: 'ERR_INTERFACE_NAME' }, name);
    LinuxTun.open(addon, 'x'.repeat(15)).close();
  });

  it('says that an interface is held by another program, or is no TUN', () => {
    const holder = LinuxTun.open(addon, 'wtheld');
    assert.throws(() => LinuxTun.open(addon, 'wtheld'), { code: 'ERR_INTERFACE_BUSY' });
    assert.throws(() => LinuxTun.open(addon, 'lo'), { code: 'ERR_INTERFACE_BUSY', message: /no TUN/ });
    holder.close();
  });

  it('reports that it cannot be watched, with the reason, and works on', () => {
    const tun = LinuxTun.open({ ...addon, monitorOpen: () => -EPERM }, 'wtblind');
    assert.match(tun.watchError!, /^wtblind cannot be watched .*EPERM.*CAP_NET_BROADCAST/);
    assert.equal(tun.read(new PacketBatch(4, 1 << 16)), 0);
    tun.close();
  });

  it('joins a persistent interface, offloads included', async () => {
    ip('tuntap add dev wtpers mode tun');
    const bench = await makeBench(true, 'wtpers');
    const reader = new Reader(bench.tun, new PacketBatch(64, 1 << 18));
    bench.emit(4, Uint8Array.of(5));
    assert.deepEqual(payloadOf(await reader.next(4)), Uint8Array.of(5));
    bench.end();
    ip('link del wtpers');
  });

  it('takes over an open descriptor, and refuses one that is no TUN', () => {
    assert.throws(() => LinuxTun.adopt(addon, 0), { code: 'ERR_TUN_DESCRIPTOR' });
    assert.throws(() => LinuxTun.adopt(addon, 12_345), { code: 'ERR_TUN_DESCRIPTOR' });

    const tun = LinuxTun.open(addon, 'wtfd');
    ip('link set wtfd up mtu 1300');
    const stdio: StdioOptions = ['ignore', 'pipe', 'inherit', tunDescriptor()];
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', ADOPT], { encoding: 'utf8', stdio });
    assert.deepEqual(JSON.parse(output), ['wtfd', 1_300, true, tun.offloads]);
    tun.close();
  });

  it('survives a rename', async () => {
    const bench = await makeBench(true);
    const { tun } = bench;
    bench.setUp(false);
    ip(`link set ${tun.name} name wtrenamed`);
    await waitFor('the name', () => tun.name === 'wtrenamed');
    ip('link set wtrenamed mtu 1333');
    await waitFor('the MTU', () => tun.mtu === 1_333);
    bench.end();
  });

  it('survives a move to another namespace: packets, MTU, link state and removal are seen there', async () => {
    const other = addNamespace('moved');
    const bench = await makeBench(true);
    const { tun } = bench;
    let changes = 0;
    let removals = 0;
    tun.onChange = () => changes++;
    tun.onRemoved = () => removals++;

    ip(`link set ${tun.name} netns ${other.name}`);
    await waitFor('the link to be down', () => !tun.isUp && changes > 0);
    ip(`-n ${other.name} link set ${tun.name} mtu 1399 up`);
    await waitFor('the MTU', () => tun.mtu === 1_399 && tun.isUp);
    const reader = new Reader(tun, new PacketBatch(64, 1 << 18));
    ip(`-n ${other.name} addr add 10.9.0.1/24 dev ${tun.name}`);
    ip(`netns exec ${other.name} ${process.execPath} -e ${SEND_ONE}`);
    assert.deepEqual(payloadOf(await reader.next(4)), Uint8Array.of(120));
    assert.equal(removals, 0);

    ip(`-n ${other.name} link del ${tun.name}`);
    await waitFor('the removal', () => removals === 1);
    bench.end();
    other.remove();
  });

  it('comes back when it is moved there and home again', async () => {
    const other = addNamespace('back');
    const bench = await makeBench(true);
    ip(`link set ${bench.tun.name} netns ${other.name}`);
    ip(`-n ${other.name} link set ${bench.tun.name} netns ${process.pid}`);
    ip(`link set ${bench.tun.name} mtu 1288 up`);
    await waitFor('the MTU', () => bench.tun.mtu === 1_288 && bench.tun.isUp);
    bench.end();
    other.remove();
  });

  it('counts packets that the system refuses: those of a link that is down, and those that are no IP', async () => {
    const bench = await makeBench(true);
    const tun = bench.tun as LinuxTun;
    tun.write(batchOf([new Uint8Array(40)]));
    assert.deepEqual([...tun.writeErrors], [['EINVAL', 1]]);
    bench.setUp(false);
    tun.write(batchOf(Array.from({ length: 5 }, (_, i) => bench.packetFor(4, Uint8Array.of(i)))));
    assert.equal(tun.writeErrors.get('EIO'), 5);
    bench.end();
  });

  it('leaves no descriptor open', async () => {
    const before = readdirSync('/proc/self/fd').length;
    for (let i = 0; i < 20; i++) LinuxTun.open(addon, 'wtleak').close();
    assert.equal(readdirSync('/proc/self/fd').length, before);
  });
}

/** Sends "x" from port 5001 to the far end; without spaces or quotes, which `ip` would cut at. */
const SEND_ONE = [
  "const{createSocket}=require('dgram');const/**/s=createSocket('udp4');",
  "s.bind(5001,()=>s.send('x',53,'10.9.0.2',()=>s.close()))",
].join('');

/** The program of the child process in the test about descriptors: descriptor 3 is the TUN. */
const ADOPT = `
  import { loadAddon } from '${new URL('../../src/addon/load.js', import.meta.url).href}';
  import { LinuxTun } from '${new URL('../../src/host/linux-tun.js', import.meta.url).href}';
  const tun = LinuxTun.adopt(loadAddon(), 3);
  console.log(JSON.stringify([tun.name, tun.mtu, tun.isUp, tun.offloads]));
  tun.close();
`;

/** An interface with addresses, and a socket of each family on its inside. */
async function makeBench(offload: boolean, name = `wtb${interfaces++}`): Promise<TunBench> {
  const tun = LinuxTun.open(addon, name, { offload });
  ip(`addr add ${INSIDE[4]}/24 dev ${name}`);
  ip(`addr add ${INSIDE[6]}/64 dev ${name} nodad`);
  ip(`link set ${name} up mtu 1420`);
  await waitFor('the link', () => tun.isUp && tun.mtu === 1_420);
  const arrived: Uint8Array[] = [];
  const sockets = { 4: await bindInside(4, arrived), 6: await bindInside(6, arrived) };
  for (const version of [4, 6] as const)
    await waitFor(`the way out over IPv${version}`, () => hasReadProbe(tun, version, sockets[version]));
  let isEnded = false;
  const bench: TunBench = {
    tun,
    versions: [4, 6],
    emit: (version, payload) => sockets[version].send(payload, 53, FAR[version]),
    delivered: () => arrived.shift(),
    packetFor: (version, payload) => {
      const addresses = [FAR_BYTES[version], INSIDE_BYTES[version]] as const;
      return innerPacket({ version, protocol: UDP, payload, sourcePort: 53, destinationPort: 5_001, addresses });
    },
    setMtu: (mtu) => void ip(`link set ${tun.name} mtu ${mtu}`),
    setUp: (isUp) => {
      ip(`link set ${tun.name} ${isUp ? 'up' : 'down'}`);
    },
    remove: () => {
      ip(`link del ${tun.name}`);
    },
    end: () => {
      if (isEnded) return;
      isEnded = true;
      tun.close();
      for (const socket of Object.values(sockets)) socket.close();
    },
  };
  benches.push(bench);
  return bench;
}

/**
 * Reads the packets since the last call, and sends another datagram if none was among them: the kernel drops datagrams
 * until it has detected that the link is up.
 */
function hasReadProbe(tun: LinuxTun, version: 4 | 6, socket: Socket): boolean {
  const batch = new PacketBatch(64, 1 << 18);
  let count = 0;
  while (tun.read(batch) > 0)
    for (let row = 0; row < batch.count; row++) {
      const packet = batch.bytes.subarray(batch.offset[row], batch.offset[row]! + batch.length[row]!);
      if (packet[0]! >> 4 === version && packet[version === 4 ? 9 : 6] === UDP) count++;
    }
  if (count === 0) socket.send(Uint8Array.of(0), 53, FAR[version]);
  return count > 0;
}

/** All programs that were started: a failing test leaves its programs running. */
const benches: TunBench[] = [];

async function bindInside(version: 4 | 6, arrived: Uint8Array[]): Promise<Socket> {
  const socket = createSocket(version === 4 ? 'udp4' : 'udp6');
  socket.on('message', (bytes) => arrived.push(new Uint8Array(bytes)));
  socket.on('error', () => {});
  await new Promise<void>((resolve) => socket.bind(5_001, INSIDE[version], resolve));
  return socket;
}

/** The descriptor of the one TUN that this process has open. */
function tunDescriptor(): number {
  const names = readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === '/dev/net/tun';
    } catch {
      return false;
    }
  });
  assert.equal(names.length, 1);
  return Number(names[0]);
}
