import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';

import { addPeer } from '../../../src/cli/setup/add-peer-command.js';
import { listPeers } from '../../../src/cli/setup/list-peers-command.js';
import { removePeer } from '../../../src/cli/setup/remove-peer-command.js';
import { parseConfig } from '../../../src/control/config/index.js';
import { assertFitsSchema } from '../device/check-schema.js';
import { FakeDaemon } from '../wg/fake-daemon.js';
import { hasStockWg, runStock } from '../wg/run-wg.js';
import { fakeHost } from './fake-host.js';
import { runSetup } from './run-setup.js';

const SERVER_KEY = Buffer.alloc(32, 0x48).toString('base64');
const SERVER_PUBLIC_KEY = 'kXeyMnjL8PPRfDbyrMm1XpyF+HsiClOG7DcNZj4g4zc=';
const OTHER_KEY = Buffer.alloc(32, 9).toString('base64');

const SERVER = `# my server
[Interface]
# ClientEndpoint = vpn.example.net:51820
# ClientDNS = 9.9.9.9
Address = 10.9.0.1/24, fd09::1/64
ListenPort = 51820
PrivateKey = ${SERVER_KEY} # keep it
MTU = 1380

# Anna
[Peer]
PublicKey = ${OTHER_KEY}
AllowedIPs = 10.9.0.2/32, 192.168.1.0/24
# the end`;

describe('wiretype add-peer, remove-peer and list-peers', () => {
  let directory: string;
  let file: string;

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'wiretype-peers-'));
    file = join(directory, 'wg0.conf');
  });

  beforeEach(() => writeFileSync(file, SERVER, { mode: 0o600 }));

  after(() => rmSync(directory, { recursive: true }));

  it('writes the peer into the file and leaves every other character as it was', async () => {
    const { out } = await runSetup(addPeer, directory, [file, 'phone']);

    const text = readFileSync(file, 'utf8');
    const client = parseConfig(out, 'client.conf');
    const presharedKey = base64(client.peers[0]!.presharedKey!);
    assert.ok(text.startsWith(`${SERVER}\n\n`));
    const peer = parseConfig(text, file).peers[1]!;
    assert.equal(
      text.slice(SERVER.length + 2),
      `[Peer]\n# Name = phone\nPublicKey = ${peer.publicKeyText}\nPresharedKey = ${presharedKey}\nAllowedIPs = 10.9.0.3/32, fd09::2/128\n`,
    );
    assert.equal(statSync(file).mode & 0o777, 0o600);
  });

  it("gives the client's file: its key, its addresses, the server's key, endpoint and subnets", async () => {
    const { out, err } = await runSetup(addPeer, directory, [file, 'phone']);

    const client = parseConfig(out, 'client.conf');
    const [server] = client.peers;
    assert.deepEqual(client.problems, []);
    assert.deepEqual(
      client.interfaceSection!.addresses.map(({ text }) => text),
      ['10.9.0.3/32', 'fd09::2/128'],
    );
    assert.equal(client.interfaceSection!.mtu, 1_380);
    assert.deepEqual(client.interfaceSection!.dns.servers, []);
    assert.equal(server!.publicKeyText, SERVER_PUBLIC_KEY);
    assert.deepEqual(server!.endpoint, { host: 'vpn.example.net', port: 51_820 });
    assert.deepEqual(
      server!.allowedIps.map(({ text }) => text),
      ['10.9.0.0/24', 'fd09::/64'],
    );
    assert.equal(server!.persistentKeepalive, 25);
    assert.match(err, /^Added phone \(10\.9\.0\.3\/32, fd09::2\/128\) to .*; wg0 is not running/);
    const privateKey = base64(client.interfaceSection!.privateKey!);
    assert.ok(!err.includes(privateKey) && !readFileSync(file, 'utf8').includes(privateKey));
  });

  it('sends everything through the tunnel with --full, and takes the name servers of the server', async () => {
    const { out } = await runSetup(addPeer, directory, [file, 'phone', '--full', '--keepalive', 'off']);
    const client = parseConfig(out, 'client.conf');
    assert.deepEqual(
      client.peers[0]!.allowedIps.map(({ text }) => text),
      ['0.0.0.0/0', '::/0'],
    );
    assert.deepEqual(client.interfaceSection!.dns.servers, ['9.9.9.9']);
    assert.equal(client.peers[0]!.persistentKeepalive, undefined);
  });

  it('lets the client reach networks behind the server with --reach', async () => {
    const { out } = await runSetup(addPeer, directory, [file, 'office', '--reach', '192.168.7.0/24, 10.9.0.0/24']);
    assert.deepEqual(
      parseConfig(out, 'client.conf').peers[0]!.allowedIps.map(({ text }) => text),
      ['10.9.0.0/24', 'fd09::/64', '192.168.7.0/24'],
    );
  });

  it('gives the next free address to each', async () => {
    const addresses = [];
    for (const name of ['a', 'b', 'c']) {
      const { out } = await runSetup(addPeer, directory, [file, name], {
        host: fakeHost({ seed: name.charCodeAt(0) }),
      });
      addresses.push(parseConfig(out, 'x').interfaceSection!.addresses[0]!.text);
    }
    assert.deepEqual(addresses, ['10.9.0.3/32', '10.9.0.4/32', '10.9.0.5/32']);
  });

  it('takes the public key of a client that keeps its own', async () => {
    const key = Buffer.alloc(32, 77).toString('base64');
    const { out } = await runSetup(addPeer, directory, [file, 'laptop', '--public-key', key, '--no-preshared-key']);
    assert.equal(parseConfig(readFileSync(file, 'utf8'), file).peer(key)?.name, 'laptop');
    assert.match(out, /^# PrivateKey = /m);
    assert.ok(!/^(?:PrivateKey|PresharedKey)/m.test(out));
  });

  it('adds networks behind the client to what the server reaches', async () => {
    await runSetup(addPeer, directory, [file, 'office', '--networks', '192.168.7.0/24,fd77::/64']);
    assert.match(
      readFileSync(file, 'utf8'),
      /AllowedIPs = 10\.9\.0\.3\/32, fd09::2\/128, 192\.168\.7\.0\/24, fd77::\/64\n$/,
    );
  });

  it('applies the peer to the running interface, and takes it out again', async () => {
    const daemon = await FakeDaemon.start(directory, 'wg0');
    try {
      const added = await runSetup(addPeer, directory, [file, 'phone']);
      const { publicKeyText, presharedKey } = parseConfig(readFileSync(file, 'utf8'), file).peers[1]!;
      const hex = Buffer.from(publicKeyText, 'base64').toString('hex');
      assert.match(added.err, / and to the running interface\.\n$/);
      assert.deepEqual(daemon.takeRequests(), [
        `set=1\npublic_key=${hex}\npreshared_key=${Buffer.from(presharedKey!).toString('hex')}\nreplace_allowed_ips=true\nallowed_ip=10.9.0.3/32\nallowed_ip=fd09::2/128\n\n`,
      ]);

      await runSetup(removePeer, directory, [file, 'phone']);
      assert.deepEqual(daemon.takeRequests(), [`set=1\npublic_key=${hex}\nremove=true\n\n`]);
      assert.equal(readFileSync(file, 'utf8').trimEnd(), SERVER);
    } finally {
      await daemon.stop();
    }
  });

  it('leaves the file as it was when the daemon refuses', async () => {
    const daemon = await FakeDaemon.start(directory, 'wg0');
    daemon.answers.set = 'errno=-22\n\n';
    try {
      const { code } = await runSetup(addPeer, directory, [file, 'phone']);
      assert.equal(code, 'ERR_CONTROL_REFUSED');
      assert.equal(readFileSync(file, 'utf8'), SERVER);
    } finally {
      await daemon.stop();
    }
  });

  it('removes a peer by its key or its name, with the comment above it', async () => {
    await runSetup(addPeer, directory, [file, 'phone']);
    const before = readFileSync(file, 'utf8');
    for (const word of [OTHER_KEY, 'Anna']) {
      writeFileSync(file, before);
      const { status } = await runSetup(removePeer, directory, [file, word]);
      assert.equal(status, 0);
      assert.equal(readFileSync(file, 'utf8'), before.replace(/# Anna\n.*?# the end\n\n/s, ''));
    }
    assert.equal((await runSetup(removePeer, directory, [file, 'Anna'])).code, 'ERR_PEER');
  });

  it('lists the peers, alone and with what the running interface knows', async () => {
    await runSetup(addPeer, directory, [file, 'phone']);
    const { out } = await runSetup(listPeers, directory, [file]);
    assert.match(
      out,
      /^NAME +STATE +ALLOWED IPS +LATEST HANDSHAKE +PUBLIC KEY\nAnna +- +10\.9\.0\.2\/32, 192\.168\.1\.0\/24 +- +CQkJ\S+=\nphone +- +10\.9\.0\.3\/32, fd09::2\/128 +- +\S+=\n$/,
    );
    const narrow = (await runSetup(listPeers, directory, [file], { columns: 80, env: { NO_COLOR: '1' } })).out;
    assert.ok(narrow.split('\n').every((line) => line.length <= 80));
    assert.match(narrow, /^Anna .* 10\.9\.0\.2\/32, 192\.168\.1\.0\/24 /m);

    const daemon = await FakeDaemon.start(directory, 'wg0');
    daemon.answers.get = `public_key=${'09'.repeat(32)}\nendpoint=192.0.2.7:5\nlast_handshake_time_sec=100\nerrno=0\n\n`;
    try {
      const live = await runSetup(listPeers, directory, [file], { unixTimeMs: () => 161_000 });
      assert.match(live.out, /Anna +online .* 1 minute, 1 second ago /);
      const json = JSON.parse((await runSetup(listPeers, directory, [file, '--json'])).out);
      assertFitsSchema(json, 'list-peers.json');
      assert.deepEqual(
        [json.isRunning, json.peers[0].endpoint, json.peers[0].latestHandshake, json.peers[1].status],
        [true, '192.0.2.7:5', '1970-01-01T00:01:40.000Z', 'never-seen'],
      );
      assert.equal(json.peers[1].name, 'phone');
    } finally {
      await daemon.stop();
    }
    assertFitsSchema(JSON.parse((await runSetup(listPeers, directory, [file, '--json'])).out), 'list-peers.json');
  });

  it('gives a file that the stock wg can read', {
    skip: !hasStockWg() && 'needs root and wireguard-tools',
  }, async () => {
    const { out } = await runSetup(addPeer, directory, [file, 'phone', '--full', '--endpoint', '192.0.2.1:5']);
    const stripped = join(directory, 'stripped.conf');
    const daemon = await FakeDaemon.start(directory, 'wg7');
    const conf = join(directory, 'wg7.conf');
    try {
      writeFileSync(conf, out, { mode: 0o600 });
      const strip = spawnSync('wg-quick', ['strip', conf], { encoding: 'utf8' });
      writeFileSync(stripped, strip.stdout);
      assert.deepEqual(await runStock(directory, ['setconf', 'wg7', stripped]), { status: 0, out: '', err: '' });
      assert.match(daemon.takeRequests()[0]!, /endpoint=192\.0\.2\.1:5\n/);
    } finally {
      await daemon.stop();
    }
  });

  it('guesses the endpoint, and says so if others could not reach it', async () => {
    writeFileSync(file, SERVER.replace(/# ClientEndpoint.*\n/, ''));
    const guess = await runSetup(addPeer, directory, [file, 'a'], {
      host: fakeHost({ out4: 'eth0', address: '192.168.1.5' }),
    });
    assert.match(guess.out, /^Endpoint = 192\.168\.1\.5:51820$/m);
    assert.match(guess.err, /is a private address/);
    const none = await runSetup(addPeer, directory, [file, 'b'], { host: fakeHost() });
    assert.equal(none.code, 'ERR_NO_ENDPOINT');
  });

  for (const [what, edit, args, code] of [
    ['a name that is taken', (text: string) => text, ['Anna'], 'ERR_PEER'],
    ['a key that is taken', (text: string) => text, ['x', '--public-key', OTHER_KEY], 'ERR_PEER'],
    ['the key of the server', (text: string) => text, ['x', '--public-key', SERVER_PUBLIC_KEY], 'ERR_PEER'],
    ["the server's own address", (text: string) => text, ['x', '--address', '10.9.0.1'], 'ERR_VALUE'],
    ["another peer's address", (text: string) => text, ['x', '--address', '10.9.0.2/32'], 'ERR_VALUE'],
    ["an address in another peer's network", (text: string) => text, ['x', '--address', '192.168.1.7'], 'ERR_VALUE'],
    ['an address with a shorter prefix', (text: string) => text, ['x', '--address', '10.9.0.7/24'], 'ERR_VALUE'],
    ['the address of the subnet', (text: string) => text, ['x', '--address', '10.9.0.0'], 'ERR_VALUE'],
    ['the broadcast address', (text: string) => text, ['x', '--address', '10.9.0.255'], 'ERR_VALUE'],
    ['the anycast address of routers', (text: string) => text, ['x', '--address', 'fd09::'], 'ERR_VALUE'],
    ['one address twice', (text: string) => text, ['x', '--address', '10.9.0.7,10.9.0.7'], 'ERR_VALUE'],
    ['an empty list of addresses', (text: string) => text, ['x', '--address', ''], 'ERR_VALUE'],
    ["another peer's network", (text: string) => text, ['x', '--networks', '192.168.1.9/24'], 'ERR_VALUE'],
    ["the server's own subnet as a network", (text: string) => text, ['x', '--networks', '10.9.0.0/25'], 'ERR_VALUE'],
    ['a name of 300 characters', (text: string) => text, ['x'.repeat(300)], 'ERR_VALUE'],
    ['a name with a line separator', (text: string) => text, ['a\u2028b'], 'ERR_VALUE'],
    ['a name with an escape', (text: string) => text, ['a\u001b[31m'], 'ERR_VALUE'],
    ['a name with a mark of direction', (text: string) => text, ['a\u202eb'], 'ERR_VALUE'],
    ['a time that has passed', (text: string) => text, ['x', '--expires', '1969-01-01'], 'ERR_VALUE'],
    ['a time that is none', (text: string) => text, ['x', '--expires', '2030-02-30'], 'ERR_VALUE'],
    [
      'a note for clients with an escape',
      (text: string) => text.replace('vpn.example.net:51820', 'a\u001b[31m:5'),
      ['x'],
      'ERR_CONFIG',
    ],
    [
      'a note for clients with a second line of its own',
      (text: string) => text.replace('9.9.9.9', '9.9.9.9, \u001b]0;x\u0007'),
      ['x', '--full'],
      'ERR_CONFIG',
    ],
    ['a name over two lines', (text: string) => text, ['a\nb'], 'ERR_VALUE'],
    ['--full and --split', (text: string) => text, ['x', '--full', '--split'], 'ERR_USAGE'],
    ['--full and --reach', (text: string) => text, ['x', '--full', '--reach', '10.0.0.0/8'], 'ERR_USAGE'],
    ['a picture of another kind', (text: string) => text, ['x', '--qr-file', 'x.gif'], 'ERR_USAGE'],
    ['a bad endpoint', (text: string) => text, ['x', '--endpoint', 'a:99999'], 'ERR_VALUE'],
    ['a bad network', (text: string) => text, ['x', '--networks', '1.2.3'], 'ERR_VALUE'],
    ['a bad keepalive', (text: string) => text, ['x', '--keepalive', 'x'], 'ERR_VALUE'],
    ['a server without a key', (text: string) => text.replace(/PrivateKey.*\n/, ''), ['x'], 'ERR_CONFIG'],
    ['a server without addresses', (text: string) => text.replace(/Address.*\n/, ''), ['x'], 'ERR_NO_ADDRESS'],
    [
      'a server that is full',
      (text: string) => text.replace('10.9.0.1/24, fd09::1/64', '10.9.0.1/30'),
      ['x'],
      'ERR_NO_ADDRESS',
    ],
    [
      'a file with errors',
      (text: string) => text.replace('ListenPort = 51820', 'ListenPort = 99999'),
      ['x'],
      'ERR_CONFIG',
    ],
  ] as const) {
    it(`refuses ${what}, and changes nothing`, async () => {
      const text = edit(SERVER);
      writeFileSync(file, text);
      const outcome = await runSetup(addPeer, directory, [file, ...args]);
      assert.equal(outcome.code, code);
      assert.equal(outcome.out, '');
      assert.equal(readFileSync(file, 'utf8'), text);
    });
  }

  it('adds two peers at once, one after the other', async () => {
    const names = ['a', 'b', 'c', 'd'];
    await Promise.all(
      names.map((name, i) => runSetup(addPeer, directory, [file, name], { host: fakeHost({ seed: i + 1 }) })),
    );
    const peers = parseConfig(readFileSync(file, 'utf8'), file).peers;
    assert.deepEqual(peers.map((peer) => peer.name).sort(), ['Anna', ...names]);
    assert.equal(new Set(peers.map((peer) => peer.allowedIps[0]!.text)).size, 5);
  });
});

function base64(key: Uint8Array): string {
  return Buffer.from(key).toString('base64');
}
