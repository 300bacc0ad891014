import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';

import { addPeer } from '../../../src/cli/setup/add-peer-command.js';
import { disablePeer } from '../../../src/cli/setup/disable-peer-command.js';
import { enablePeer } from '../../../src/cli/setup/enable-peer-command.js';
import { expire } from '../../../src/cli/setup/expire-command.js';
import { listPeers } from '../../../src/cli/setup/list-peers-command.js';
import { removePeer } from '../../../src/cli/setup/remove-peer-command.js';
import { renamePeer } from '../../../src/cli/setup/rename-peer-command.js';
import { rotatePeer } from '../../../src/cli/setup/rotate-peer-command.js';
import type { SetupCommand } from '../../../src/cli/setup/setup-command.js';
import { parseConfig } from '../../../src/control/config/index.js';
import { assertFitsSchema } from '../device/check-schema.js';
import { FakeDaemon } from '../wg/fake-daemon.js';
import { fakeHost } from './fake-host.js';
import { runSetup } from './run-setup.js';

const ANNA = Buffer.alloc(32, 9).toString('base64');
const HEX = '09'.repeat(32);
const NOW_MS = Date.UTC(2027, 0, 1);

const SERVER = `[Interface]
# ClientEndpoint = vpn.example.net:51820
# ClientDNS = 9.9.9.9
Address = 10.9.0.1/24
PrivateKey = ${Buffer.alloc(32, 0x48).toString('base64')}

# Anna
[Peer]
PublicKey = ${ANNA}
AllowedIPs = 10.9.0.2/32
Endpoint = 192.0.2.7:5
PersistentKeepalive = 25

[Peer]
# Name = Ben
PublicKey = ${Buffer.alloc(32, 10).toString('base64')}
AllowedIPs = 10.9.0.3/32
`;

describe('wiretype disable-peer, enable-peer, rename-peer, rotate-peer and expire', () => {
  let directory: string;
  let file: string;
  let daemon: FakeDaemon;
  let seed = 0;

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'wiretype-changes-'));
    file = join(directory, 'wg0.conf');
    daemon = await FakeDaemon.start(directory, 'wg0');
  });

  beforeEach(() => {
    writeFileSync(file, SERVER, { mode: 0o600 });
    daemon.answers.set = 'errno=0\n\n';
    daemon.takeRequests();
  });

  after(async () => {
    await daemon.stop();
    rmSync(directory, { recursive: true });
  });

  it('disables a peer in the file and in the running interface, and enables it with all it had', async () => {
    await run(disablePeer, 'Anna');
    assert.deepEqual(daemon.takeRequests(), [`set=1\npublic_key=${HEX}\nremove=true\n\n`]);
    assert.equal(parse().peer(ANNA), undefined);
    assert.match(text(), /^#- # Anna\n#- \[Peer\]\n#- PublicKey/m);

    await run(enablePeer, 'Anna');
    assert.equal(text(), SERVER);
    assert.deepEqual(daemon.takeRequests(), [
      `set=1\npublic_key=${HEX}\nendpoint=192.0.2.7:5\npersistent_keepalive_interval=25\nreplace_allowed_ips=true\nallowed_ip=10.9.0.2/32\n\n`,
    ]);
  });

  it('may be called twice', async () => {
    for (const command of [disablePeer, disablePeer, enablePeer, enablePeer]) await run(command, 'Anna');
    assert.equal(text(), SERVER);
  });

  it('leaves the file as it was when the daemon refuses', async () => {
    daemon.answers.set = 'errno=-22\n\n';
    for (const command of [disablePeer, rotatePeer]) {
      assert.equal((await start(command, 'Anna')).code, 'ERR_CONTROL_REFUSED');
      assert.equal(text(), SERVER);
    }
  });

  it('gives the address, the name and the key of a disabled peer to nobody else', async () => {
    await run(disablePeer, 'Anna');
    assert.match((await run(addPeer, 'x')).out, /^Address = 10\.9\.0\.4\/32$/m);
    for (const args of [['Anna'], ['y', '--address', '10.9.0.2'], ['y', '--public-key', ANNA]]) {
      const { code } = await start(addPeer, ...args);
      assert.ok(code === 'ERR_PEER' || code === 'ERR_VALUE', args.join(' '));
    }
  });

  it('refuses to enable a peer whose address another one got by hand', async () => {
    await run(disablePeer, 'Anna');
    writeFileSync(file, text().replace('10.9.0.3/32', '10.9.0.2/32'));
    assert.equal((await start(enablePeer, 'Anna')).code, 'ERR_PEER');
  });

  it('refuses to enable comments that are wrong', async () => {
    await run(disablePeer, 'Anna');
    const broken = text().replace('#- AllowedIPs = 10.9.0.2/32', '#- AllowedIPs = 10.9.0.2/99');
    writeFileSync(file, broken);
    assert.equal((await start(enablePeer, 'Anna')).code, 'ERR_CONFIG');
    assert.equal(text(), broken);
  });

  it('removes, renames and rotates a disabled peer, which stays out of the running interface', async () => {
    await run(disablePeer, 'Anna');
    await run(renamePeer, 'Anna', 'Annika');
    daemon.takeRequests();
    await run(rotatePeer, 'Annika');
    assert.deepEqual(daemon.takeRequests(), [`set=1\npublic_key=${HEX}\nremove=true\n\n`]);
    assert.equal(parse().peers.length, 1);
    assert.match(text(), /^#- # Name = Annika\n#- \[Peer\]$/m);
    await run(removePeer, 'Annika');
    assert.equal(text(), SERVER.replace(/# Anna\n.*?\n\n/s, ''));
  });

  it('renames a peer, and changes nothing else', async () => {
    await run(renamePeer, 'Ben', 'Benjamin');
    assert.equal(text(), SERVER.replace('Ben', 'Benjamin'));
    await run(renamePeer, ANNA, 'Annika');
    assert.equal(text(), SERVER.replace('Ben', 'Benjamin').replace('# Anna', '# Name = Annika'));
    assert.deepEqual(daemon.takeRequests(), []);
    assert.equal((await start(renamePeer, 'Annika', 'Benjamin')).code, 'ERR_PEER');
  });

  it('offers the name that was meant', async () => {
    writeFileSync(file, SERVER.replace('Ben', 'Jürgen'));
    assert.match((await start(removePeer, 'jurgen')).message!, /did you mean "Jürgen"\?$/);
  });

  it('gives a client new keys and takes the old ones out, in one change', async () => {
    await run(addPeer, 'phone', '--full', '--dns', '9.9.9.10', '--keepalive', 'off');
    const [before] = parse().peers.slice(-1);
    daemon.takeRequests();

    const { out } = await run(rotatePeer, 'phone');

    const [after] = parse().peers.slice(-1);
    const client = parseConfig(out, 'phone.conf');
    assert.notEqual(after!.publicKeyText, before!.publicKeyText);
    assert.equal(after!.name, 'phone');
    assert.deepEqual(
      [client.interfaceSection!.addresses, client.peers[0]!.allowedIps].map((list) => list.map((item) => item.text)),
      [['10.9.0.4/32'], ['0.0.0.0/0', '::/0']],
    );
    assert.deepEqual(client.interfaceSection!.dns.servers, ['9.9.9.10']);
    assert.equal(client.peers[0]!.persistentKeepalive, undefined);
    assert.deepEqual(client.peers[0]!.presharedKey, after!.presharedKey);
    const [request] = daemon.takeRequests();
    const hex = (key: string) => Buffer.from(key, 'base64').toString('hex');
    assert.ok(
      request!.startsWith(
        `set=1\npublic_key=${hex(before!.publicKeyText)}\nremove=true\npublic_key=${hex(after!.publicKeyText)}\n`,
      ),
    );
  });

  it('keeps what the server knows of the peer, and lets options change what the client gets', async () => {
    await run(addPeer, 'phone', '--full');
    await run(rotatePeer, 'phone', '--split');
    const { out } = await run(rotatePeer, 'phone');
    assert.match(out, /^AllowedIPs = 10\.9\.0\.0\/24$/m);
    await run(rotatePeer, 'Anna');
    const anna = parse().peers[0]!;
    assert.deepEqual([anna.name, anna.endpoint?.port, anna.persistentKeepalive], ['Anna', 5, 25]);
    assert.equal(anna.presharedKey, undefined, 'the peer had none');
  });

  it("names the server in the client's file", async () => {
    assert.equal(parseConfig((await run(addPeer, 'a')).out, 'x').peers[0]!.name, 'vpn.example.net');
    writeFileSync(file, SERVER.replace('[Interface]\n', '[Interface]\n# Name = home\n'));
    assert.equal(parseConfig((await run(addPeer, 'b')).out, 'x').peers[0]!.name, 'home');
  });

  it('disables a peer when its time is over, not before, and only that one', async () => {
    await run(addPeer, 'guest', '--expires', '2h');
    const enabled = text();
    assert.match(enabled, /^# Expires = 2027-01-01T02:00:00Z$/m);
    daemon.takeRequests();

    await run(expire);
    assert.equal(text(), enabled);
    const { err } = await start(expire, { atMs: NOW_MS + 2 * 3_600_000 });
    assert.match(err, /^Disabled guest of wg0: expired at 2027-01-01T02:00:00Z\.\n$/);
    assert.match(daemon.takeRequests()[0]!, /\nremove=true\n/);
    assert.deepEqual([parse().peers.length, statusOf(await list())], [2, ['never-seen', 'never-seen', 'disabled']]);
    assert.deepEqual(statusOf(await list(NOW_MS + 3 * 3_600_000)), ['never-seen', 'never-seen', 'expired']);
  });

  it('enables an expired peer with a new time only', async () => {
    await run(addPeer, 'guest', '--expires', '1h');
    const later = NOW_MS + 7_200_000;
    await start(expire, { atMs: later });
    assert.equal((await start(enablePeer, { atMs: later }, 'guest')).code, 'ERR_VALUE');
    assert.equal((await start(enablePeer, { atMs: later }, 'guest', '--expires', '1d')).code, undefined);
    assert.match(text(), /^# Expires = 2027-01-02T02:00:00Z$/m);
    await run(enablePeer, 'guest', '--expires', 'never');
    assert.ok(!text().includes('Expires'));
  });

  it('reports a time that was written by hand and is none, and disables the others', async () => {
    const [one, two] = [SERVER.replace('# Name = Ben', '# Name = Ben\n# Expires = soon'), '# Name = Ben'];
    writeFileSync(file, one.replace(`PublicKey = ${ANNA}`, `# Expires = 2026-01-01\nPublicKey = ${ANNA}`));
    const { status, err } = await start(expire);
    assert.equal(status, 1);
    assert.match(err, /Expires = "soon" is neither a date nor/);
    assert.equal(parse().peer(ANNA), undefined);
    assert.ok(text().includes(`\n${two}\n`));
  });

  it('writes JSON that fits the schemas', async () => {
    for (const [command, ...args] of [
      [disablePeer, 'Anna'],
      [enablePeer, 'Anna', '--expires', '1d'],
      [renamePeer, 'Anna', 'Annika'],
      [rotatePeer, 'Annika'],
    ] as [SetupCommand, ...string[]][]) {
      const shown = JSON.parse((await run(command, ...args, '--json')).out);
      assertFitsSchema(shown, `${command.name}.json`);
      assert.equal(shown.interface, 'wg0');
    }
    const { out } = await start(expire, { atMs: NOW_MS + 10 * 86_400_000 }, '--json');
    assertFitsSchema(JSON.parse(out), 'expire.json');
    assert.equal(JSON.parse(out).disabled[0].name, 'Annika');
    assertFitsSchema(await list(), 'list-peers.json');
  });

  async function list(atMs = NOW_MS) {
    return JSON.parse((await start(listPeers, { atMs }, '--json')).out);
  }

  async function run(command: SetupCommand, ...args: string[]) {
    const outcome = await start(command, ...args);
    assert.equal(outcome.message, undefined);
    return outcome;
  }

  async function start(command: SetupCommand, ...words: (string | { readonly atMs: number })[]) {
    const [first, ...rest] = words;
    const atMs = typeof first === 'object' ? first.atMs : NOW_MS;
    const args = (typeof first === 'object' ? rest : words) as string[];
    const host = fakeHost({ seed: ++seed });
    return await runSetup(command, directory, [file, ...args], { host, unixTimeMs: () => atMs });
  }

  const text = () => readFileSync(file, 'utf8');
  const parse = () => parseConfig(text(), file);
});

function statusOf({ peers }: { readonly peers: readonly { readonly status: string }[] }): string[] {
  return peers.map(({ status }) => status);
}
