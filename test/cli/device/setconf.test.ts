import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';

import { confCommand } from '../../../src/cli/device/setconf-command.js';
import { parseConfig } from '../../../src/control/config/index.js';
import { arbitraryText } from '../../control/config/arbitrary-text.js';
import { device, peer } from '../wg/arbitrary-reply.js';
import { FakeDaemon } from '../wg/fake-daemon.js';
import { runOurs } from '../wg/run-wg.js';
import { runCommand } from './run-command.js';

const KEY = Buffer.alloc(32, 7).toString('base64');
const HEX = '07'.repeat(32);
const PEER = `[Peer]\nPublicKey = ${KEY}\nAllowedIPs = 10.0.0.0/8\n`;
const PEER_LINES = `public_key=${HEX}\nreplace_allowed_ips=true\nallowed_ip=10.0.0.0/8\n`;

describe('wiretype setconf, addconf and syncconf', () => {
  let directory: string;
  let file: string;
  let daemon: FakeDaemon;

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'wiretype-device-setconf-'));
    file = join(directory, 'wg0.conf');
    daemon = await FakeDaemon.start(directory, 'wg0');
  });

  beforeEach(() => {
    daemon.answers.get = device();
    daemon.takeRequests();
  });

  after(async () => {
    await daemon.stop();
    rmSync(directory, { recursive: true });
  });

  it('shows all errors of a file at once, each with its line, and changes nothing', async () => {
    writeFileSync(file, '[Interface]\nListenPort = 99999\nPrivatKey = x\n[Peer]\nEndpoint = a\n');

    const { code, message } = await runCommand(confCommand('setconf'), directory, ['wg0', file]);

    assert.equal(code, 'ERR_CONFIG');
    assert.deepEqual(message!.match(/^\S+:\d+:\d+/gm), [`${file}:2:14`, `${file}:3:1`, `${file}:4:1`, `${file}:5:12`]);
    assert.match(message!, /Did you mean PrivateKey\?/);
    assert.match(message!, /2 \| ListenPort = 99999\n {6}\| {14}\^{5}$/m);
    assert.deepEqual(daemon.takeRequests(), []);
  });

  it('refuses a directory, which wg takes for an empty file and wipes the interface', async () => {
    const { code } = await runCommand(confCommand('setconf'), directory, ['wg0', directory]);
    assert.equal(code, 'ERR_CONFIG_FILE');
    assert.deepEqual(daemon.takeRequests(), []);
  });

  it('passes over keys of wg-quick, and takes a byte order mark', async () => {
    writeFileSync(file, `\ufeff[Interface]\r\nAddress = 10.0.0.1/24\r\nListenPort = 5\r\nPostUp = echo "#1"\r\n`);
    await runCommand(confCommand('addconf'), directory, ['wg0', file]);
    assert.deepEqual(daemon.takeRequests(), ['set=1\nlisten_port=5\n\n']);
  });

  it('shows warnings and goes on', async () => {
    writeFileSync(file, `[Interface]\nListenPort = 5\n${PEER.replace('/8', '.1/8').replace('10.0.0.0.1', '10.0.0.1')}`);
    const { status, err } = await runCommand(confCommand('addconf'), directory, ['wg0', file]);
    assert.equal(status, 0);
    assert.match(err, /:5:14: warning: AllowedIPs: "10\.0\.0\.1\/8" has bits set/);
  });

  it('sends what wg sends for any file that it finds nothing wrong with', async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryText(), fc.constantFrom('setconf', 'addconf'), async (text, command) => {
        const document = parseConfig(text, 'wg0.conf');
        const isForWgAlone = !/Address|DNS|MTU|Table|PostUp|SaveConfig|\ufeff|Endpoint/.test(text);
        fc.pre(isForWgAlone && document.problems.length === 0);
        writeFileSync(file, text);

        await runCommand(confCommand(command as 'setconf' | 'addconf'), directory, ['wg0', file]);
        const ours = daemon.takeRequests();
        const stock = await runOurs(directory, [command, 'wg0', file]);

        assert.deepEqual(stock, { status: 0, out: '', err: '' });
        assert.deepEqual(ours, daemon.takeRequests());
      }),
      { numRuns: 60 },
    );
  });

  it('syncconf keeps the port, the key and the mark that the file does not name, with a warning for each', async () => {
    daemon.answers.get = `private_key=${HEX}\nlisten_port=777\nfwmark=3\n${device(peer({}))}`;
    writeFileSync(file, `[Interface]\n${PEER}`);

    const { status, err } = await runCommand(confCommand('syncconf'), directory, ['wg0', file]);

    assert.equal(status, 0);
    assert.deepEqual(err.match(/no \w+/g), ['no ListenPort', 'no PrivateKey', 'no FwMark']);
    assert.deepEqual(daemon.takeRequests(), ['get=1\n\n', `set=1\n${PEER_LINES}\n`]);
  });

  it('syncconf refuses a file without peers while the interface has some', async () => {
    daemon.answers.get = `listen_port=5\n${device(peer({}))}`;
    writeFileSync(file, '[Interface]\nListenPort = 5\n');

    const { code, message } = await runCommand(confCommand('syncconf'), directory, ['wg0', file]);

    assert.deepEqual([code, message], ['ERR_WIPE', `${file} has no peer, and wg0 has 1`]);
    assert.deepEqual(daemon.takeRequests(), ['get=1\n\n']);
  });

  for (const text of ['[Interface]\n', `[Interface]\n${PEER}`]) {
    it(`syncconf --allow-wipe does with ${JSON.stringify(text.slice(0, 20))} what wg does`, async () => {
      daemon.answers.get = `private_key=${HEX}\nlisten_port=777\nfwmark=3\n${device(peer({ preshared_key: HEX }))}`;
      writeFileSync(file, text);

      const { status, err } = await runCommand(confCommand('syncconf'), directory, ['--allow-wipe', 'wg0', file]);
      const ours = daemon.takeRequests();
      await runOurs(directory, ['syncconf', 'wg0', file]);

      assert.deepEqual({ status, err }, { status: 0, err: '' });
      assert.equal(ours.at(-1), daemon.takeRequests().at(-1));
    });
  }

  it('syncconf says nothing about what the interface has not either', async () => {
    writeFileSync(file, '[Interface]\n');
    const { status, err } = await runCommand(confCommand('syncconf'), directory, ['wg0', file]);
    assert.deepEqual({ status, err }, { status: 0, err: '' });
  });

  it('says which name could not be looked up', async () => {
    writeFileSync(file, `[Interface]\n${PEER}Endpoint = no.such.name.invalid:5\n`);
    const env = { WG_ENDPOINT_RESOLUTION_RETRIES: '0' };
    const { code, message } = await runCommand(confCommand('setconf'), directory, ['wg0', file], { env });
    assert.equal(code, 'ERR_NAME_RESOLUTION');
    assert.match(message!, /no\.such\.name\.invalid:5/);
  });
});
