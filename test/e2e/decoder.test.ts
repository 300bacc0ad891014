/**
 * An independent decoder reads a captured run: tshark decrypts every handshake and every packet.
 *
 * Topology: `test/lab/two-hosts.ts`. Left runs `test/lab/logged-tunnel.ts`, whose random numbers are written down.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { Capture } from '../lab/capture.js';
import { CHECKOUT, type Implementation, subject, wireguardGo } from '../lab/implementation.js';
import { run } from '../lab/program.js';
import { assertPings, transfer } from '../lab/traffic.js';
import { LEFT, openTunnel, outerEndpoint, RIGHT, type Tunnel } from '../lab/two-hosts.js';
import { waitFor } from '../lab/wait.js';

/** One WireGuard message as tshark prints it. */
interface DecodedMessage {
  readonly type: number;
  readonly isHandshakeDecrypted: boolean;
  readonly isKeepalive: boolean;
  readonly hasFailed: boolean;
  readonly protocols: string;
}

const FIELDS = [
  'wg.type',
  'wg.timestamp.value',
  'wg.handshake_ok',
  'wg.keepalive',
  'wg.decryption_error',
  'frame.protocols',
];

describe('tshark decrypts a captured run', () => {
  for (const [title, right] of [
    ['between two of ours', subject],
    ['with wireguard-go', wireguardGo],
  ] as const) {
    it(title, { timeout: 240_000 }, async (t) => {
      const { tunnel, randomLog } = await openLoggedTunnel(t, right);
      const { lab, left, leftWireguard, rightWireguard } = tunnel;
      // Every datagram is to be seen as it would be on a real wire, not merged with its neighbours.
      for (const host of [left, tunnel.right]) await host.ip('link set eth0 gso_max_segs 1');
      const capture = await Capture.start(lab, tunnel.right, 'eth0', 'udp port 51820');

      await assertPings(left, RIGHT.inner4);
      await assertPings(left, RIGHT.inner6, { size: 3_000 });
      await transfer(left, tunnel.right, RIGHT.inner4, { bytes: 500_000 });
      // The right side forgets its session and begins another, so that left is the responder as well.
      const { presharedKey } = await rightWireguard.peer();
      await rightWireguard.set('peer', leftWireguard.publicKey, 'remove');
      await rightWireguard.setPeer({
        publicKey: leftWireguard.publicKey,
        presharedKey,
        allowedIps: `${LEFT.inner4}/32,${LEFT.inner6}/128`,
        endpoint: outerEndpoint(LEFT, 4),
        keepalive: 1,
      });
      await waitFor('the handshake', async () => (await rightWireguard.peer()).latestHandshake > 0);
      await assertPings(left, RIGHT.inner4);
      await waitFor('a keepalive', () => capture.packets().some(({ udp }) => udp?.payload.length === 32));
      await capture.stop();

      const messages = await decode(capture.path, await writeKeyLog(tunnel, randomLog));
      const handshakes = messages.filter(({ type }) => type === 1 || type === 2);
      const data = messages.filter(({ type }) => type === 4);
      assert.ok(handshakes.length >= 4, `${handshakes.length} handshake messages`);
      assert.deepEqual(
        handshakes.filter(({ isHandshakeDecrypted }) => !isHandshakeDecrypted),
        [],
      );
      assert.ok(data.length > 100, `${data.length} packets`);
      assert.deepEqual(
        data.filter(({ hasFailed, isKeepalive, protocols }) => hasFailed || !(isKeepalive || /:wg:ip/.test(protocols))),
        [],
      );
      const seen = [...new Set(data.map(({ protocols }) => protocols))].join('\n');
      for (const protocol of [/:wg:ip:icmp/, /:wg:ip:ipv6:/, /:wg:ip:tcp/]) assert.match(seen, protocol);
      assert.ok(data.some(({ isKeepalive }) => isKeepalive));
    });
  }
});

async function openLoggedTunnel(
  t: Parameters<typeof openTunnel>[0],
  right: Implementation,
): Promise<{ tunnel: Tunnel; randomLog: string }> {
  const folder = mkdtempSync(join(tmpdir(), `wiretype-e2e-${process.pid}-`));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const randomLog = join(folder, 'random.log');
  const left: Implementation = {
    title: 'wiretype with a key log',
    command: process.execPath,
    words: [`${CHECKOUT}dist/test/lab/logged-tunnel.js`, randomLog],
  };
  return { tunnel: await openTunnel(t, { left, right, hasPresharedKey: true }), randomLog };
}

/** Writes the keys for tshark, in the format of Wireshark's `wg.keylog_file`: left's side of every handshake. */
async function writeKeyLog({ lab, leftWireguard, rightWireguard }: Tunnel, randomLog: string): Promise<string> {
  const { presharedKey } = await leftWireguard.peer();
  const lines = [
    `LOCAL_STATIC_PRIVATE_KEY = ${leftWireguard.keys.privateKey}`,
    `REMOTE_STATIC_PUBLIC_KEY = ${rightWireguard.publicKey}`,
  ];
  for (const drawn of readFileSync(randomLog, 'utf8').split('\n').filter(Boolean))
    lines.push(`LOCAL_EPHEMERAL_PRIVATE_KEY = ${drawn}`, `PRESHARED_KEY = ${presharedKey}`);
  const path = join(lab.folder, 'keys.log');
  writeFileSync(path, `${lines.join('\n')}\n`, { mode: 0o600 });
  return path;
}

async function decode(capturePath: string, keyLogPath: string): Promise<DecodedMessage[]> {
  const fields = FIELDS.flatMap((field) => ['-e', field]);
  const args = ['-r', capturePath, '-o', `wg.keylog_file:${keyLogPath}`, '-Y', 'wg', '-T', 'fields', ...fields];
  const lines = (await run('tshark', args)).trimEnd().split('\n');
  return lines.map((line) => {
    const [type, timestamp, handshakeOk, keepalive, error, protocols = ''] = line.split('\t');
    return {
      type: Number(type),
      // An initiation gives its timestamp away, a response only whether its tag was right.
      isHandshakeDecrypted: timestamp !== '' || handshakeOk === '1',
      isKeepalive: keepalive !== '',
      hasFailed: error !== '',
      protocols,
    };
  });
}
