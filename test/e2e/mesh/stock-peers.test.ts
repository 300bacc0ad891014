/**
 * Stock WireGuard in a mesh: Debian's wireguard-go and `wg-quick`, with the files and codes that the hub gives.
 *
 * Topology: mesh-lab.ts, and a host `rack` with a public address beside the hub. The cases share one laboratory, in order.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';

import { scan } from '../../lab/camera.js';
import { Capture, type SeenPacket } from '../../lab/capture.js';
import { addAddresses } from '../../lab/lab.js';
import { Machine } from '../../lab/machine.js';
import { pingUntilAnswered } from '../../lab/traffic.js';
import { waitFor } from '../../lab/wait.js';
import { STOCK_CLIENT } from '../gateway/gateway-lab.js';
import { countLost, HUB, type MeshLab, openMeshLab, waitForPath } from './mesh-lab.js';

const TIMEOUT = { timeout: 240_000 };
const RACK = '203.0.113.30';
const STREAM_BYTES = 300_000;

describe('stock WireGuard in a mesh', () => {
  it('talks to stock and to agents, behind NATs and reachable, by file and by code', TIMEOUT, async (t) => {
    const mesh = await openMeshLab(t, ['hard', 'hard']);
    await t.test('two of them talk through a hub that cannot read them', () => talkBlindly(mesh));
    await mesh.laptop.join(await mesh.invite(), 'laptop');
    await t.test('one behind a NAT and an agent stay on the relay', () => talkToAgent(mesh));
    await t.test('one that is reachable and an agent go to a direct path', () => goDirect(mesh));
    await t.test('a phone takes its code, and reaches an agent by address and by name', () => usePhone(mesh));
  });
});

/** Both behind hard NATs. */
async function talkBlindly(mesh: MeshLab): Promise<void> {
  const { lab, hubHost, laptop, server, ask } = mesh;
  const alpha = await ask('add-device', 'alpha');
  const { file: beta, introductions } = JSON.parse(await ask('add-device', 'beta', '--with', 'alpha', '--json'));
  const [{ name, section }] = introductions;
  assert.equal(name, 'alpha');
  await up(laptop.machine, 'alpha', `${alpha}\n${section}\n`);
  await up(server.machine, 'beta', beta);
  const capture = await Capture.start(lab, hubHost, 'br0');
  const inside = await Capture.start(lab, laptop.machine.host, 'alpha');
  const address = addressOf(beta);
  await pingUntilAnswered(laptop.machine.host, address);

  const before = await relayedBytes(mesh, 'alpha');
  const marker = randomBytes(12).toString('hex');
  const text = marker.repeat(Math.ceil(STREAM_BYTES / marker.length));
  assert.equal(await sendText(laptop.machine, server.machine, address, text), text);
  assert.ok((await relayedBytes(mesh, 'alpha')) - before > STREAM_BYTES, 'the hub has counted what it relayed');

  const packets = await capture.stop();
  const seenBytes = packets.reduce((sum, { bytes }) => sum + bytes.length, 0);
  assert.ok(seenBytes > STREAM_BYTES, `the capture saw ${seenBytes} bytes`);
  const shows = (seen: readonly SeenPacket[]): boolean => seen.some(({ bytes }) => bytes.includes(marker));
  assert.ok(shows(await inside.stop()), 'the text is seen inside the tunnel');
  assert.ok(!shows(packets), 'the text is nowhere in what passed the hub');
  await down(laptop.machine, 'alpha');
  await down(server.machine, 'beta');
}

async function talkToAgent({ laptop, server, ask, hub, startHub }: MeshLab): Promise<void> {
  await up(server.machine, 'office', await ask('add-device', 'office'));
  await pingUntilAnswered(server.machine.host, (await laptop.status()).addresses[0]!);
  assert.equal(await countLost(laptop, 'office.home.internal', 20), 0);
  assert.equal(await laptop.pathTo('office'), 'relay');

  assert.equal(await hub.stop(), 0);
  await startHub();
  const ping = ['-n', '-c', '1', '-W', '1', 'office.home.internal'];
  await waitFor(
    'a peer that has nothing to say: the hub goes to it, where its own next handshake comes after two minutes',
    async () => (await laptop.machine.attempt('ping', ping)).status === 0,
    60_000,
  );
  await down(server.machine, 'office');
}

async function goDirect({ lab, hubHost, laptop, ask }: MeshLab): Promise<void> {
  const rack = await Machine.create(lab, 'rack');
  await lab.cable([rack.host, 'eth0'], [hubHost, 'port3']);
  await hubHost.ip('link set port3 master br0');
  await addAddresses([rack.host, 'eth0', `${RACK}/24`]);
  await rack.install('resolvconf', 'cat > /dev/null');
  await up(rack, 'rack', await ask('add-device', 'rack', '--endpoint', `${RACK}:51820`));
  const name = 'rack.home.internal';
  await waitFor('its name', async () => (await laptop.pathTo('rack')) !== undefined);

  assert.equal(await countLost(laptop, name, 300, 0.01), 0, 'no packet is lost on the way to the direct path');
  await waitForPath(laptop, 'rack', 'direct');
  assert.equal(await countLost(laptop, name, 20), 0);
}

async function usePhone({ server, laptop, ask }: MeshLab): Promise<void> {
  const file = scan(await ask('add-device', 'phone', '--qr'));
  await up(server.machine, 'phone', file);
  const address = (await laptop.status()).addresses[0]!;
  await pingUntilAnswered(server.machine.host, address);
  await server.machine.write('/etc/resolv.conf', `nameserver ${/^DNS = ([0-9.]+)/m.exec(file)![1]}\n`, '644');
  await server.machine.run('ping', ['-c', '1', '-W', '5', 'laptop.home.internal']);
}

async function up(machine: Machine, name: string, file: string): Promise<void> {
  assert.match(file, new RegExp(`^Endpoint = ${HUB}:`, 'm'));
  // Where a name server is to be set, stock wg-quick wants it.
  await machine.install('resolvconf', 'cat > /dev/null');
  await machine.write(`/etc/wireguard/${name}.conf`, file);
  await machine.run('wg-quick', ['up', name], { env: STOCK_CLIENT });
}

async function down(machine: Machine, name: string): Promise<void> {
  await machine.run('wg-quick', ['down', name], { env: STOCK_CLIENT });
}

/** Sends a text by TCP. @returns The text that arrived. */
async function sendText(from: Machine, to: Machine, address: string, text: string): Promise<string> {
  const listen = `import socket,sys
s=socket.create_server(('${address}',7000));print('ready',file=sys.stderr,flush=True)
c=s.accept()[0]
while b:=c.recv(65536): sys.stdout.buffer.write(b)`;
  const receiver = to.start('python3', ['-c', listen]);
  await receiver.says(/ready/);
  const send = `import socket,sys;c=socket.create_connection(('${address}',7000),30);c.sendall(sys.stdin.buffer.read())`;
  await from.run('python3', ['-c', send], { input: text });
  assert.equal(await receiver.exited, 0, receiver.stderr);
  return receiver.stdout;
}

async function relayedBytes({ ask }: MeshLab, name: string): Promise<number> {
  const nodes: { name: string; relayedBytes: number }[] = JSON.parse(await ask('nodes', '--json'));
  return nodes.find((node) => node.name === name)!.relayedBytes;
}

function addressOf(file: string): string {
  return /^Address = ([\d.]+)/m.exec(file)![1]!;
}
