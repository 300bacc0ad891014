import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { COMMANDS } from '../../../src/cli/command-table.js';
import { complete } from '../../../src/cli/completion/complete.js';
import { MachineWords } from '../../../src/cli/completion/machine-words.js';
import { device, peer } from '../wg/arbitrary-reply.js';
import { FakeDaemon } from '../wg/fake-daemon.js';

const NAMED = Buffer.alloc(32, 7).toString('base64');
const UNNAMED = Buffer.alloc(32, 9).toString('base64');

describe('complete', () => {
  let folder: string;
  let machine: MachineWords;
  let daemon: FakeDaemon;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'wiretype-complete-'));
    mkdirSync(join(folder, 'sockets'));
    mkdirSync(join(folder, 'files'));
    machine = new MachineWords(join(folder, 'sockets'), join(folder, 'files'));
    const config = `[Interface]\n# alice smith\n[Peer]\nPublicKey = ${NAMED}\n[Peer]\nPublicKey = ${UNNAMED}\n`;
    writeFileSync(join(folder, 'files/wg0.conf'), config, { mode: 0o600 });
    writeFileSync(join(folder, 'files/office.conf'), 'nonsense', { mode: 0o600 });
    daemon = await FakeDaemon.start(join(folder, 'sockets'), 'wg0');
    daemon.answers.get = device(peer({}));
  });

  after(async () => {
    await daemon.stop();
    rmSync(folder, { recursive: true });
  });

  it('knows all commands', async () => {
    assert.deepEqual(
      await wordsOf('wiretype', ''),
      COMMANDS.map(({ name }) => name),
    );
    assert.deepEqual(await wordsOf('/usr/bin/wiretype', '--'), ['--help', '--version']);
    assert.deepEqual(await wordsOf('wiretype', 'no-such-command', ''), []);
    assert.ok((await wordsOf('wiretype', 'help', '')).includes('add-peer'));
  });

  it('knows every option of every command, and --help', async () => {
    for (const entry of COMMANDS) {
      const options = Object.keys((await entry.load()).manual.options).map((name) => `--${name}`);
      assert.deepEqual(await wordsOf('wiretype', entry.name, '-'), [...options, '--help'], entry.name);
    }
  });

  it('leaves out options that are there already', async () => {
    assert.deepEqual(await wordsOf('wiretype', 'reload', '--json', '-'), ['--dry-run', '--help']);
    assert.deepEqual(await wordsOf('wiretyped', '-f', '-'), ['--version', '--help']);
  });

  it('completes the value of an option, and then goes on with the words', async () => {
    assert.deepEqual(await wordsOf('wiretype', 'init', '--firewall', ''), ['nft', 'iptables']);
    assert.deepEqual(await complete(COMMANDS, machine, 'wiretype', ['add-peer', 'wg0', 'x', '--output', '']), {
      words: [],
      fileEnding: '',
    });
    assert.deepEqual(await wordsOf('wiretype', 'up', '--implementation', 'wireguard-go', ''), ['office', 'wg0']);
    assert.deepEqual(await wordsOf('wiretype', 'up', '--implementation=wireguard-go', ''), ['office', 'wg0']);
  });

  it('completes interfaces: running ones from their sockets, others from their files', async () => {
    assert.deepEqual(await wordsOf('wiretype', 'show', ''), ['all', 'interfaces', 'wg0']);
    assert.deepEqual(await wordsOf('wiretype', 'watch', ''), ['wg0']);
    assert.deepEqual(await wordsOf('wiretyped', ''), ['office', 'wg0']);
    const { words, fileEnding } = await complete(COMMANDS, machine, 'wiretype', ['up', '']);
    assert.deepEqual([words.map(({ word }) => word), fileEnding], [['office', 'wg0'], '.conf']);
  });

  it('completes the words of set: of the interface, then of one peer after the other', async () => {
    const set = async (...words: string[]) => await wordsOf('wiretype', 'set', 'wg0', ...words);
    assert.deepEqual(await set(''), ['listen-port', 'fwmark', 'private-key', 'peer']);
    assert.deepEqual(await set('listen-port', '1', ''), ['fwmark', 'private-key', 'peer']);
    assert.deepEqual(await set('peer', ''), [NAMED]);
    const ofPeer = ['remove', 'preshared-key', 'endpoint', 'persistent-keepalive', 'allowed-ips'];
    assert.deepEqual(await set('peer', NAMED, ''), ofPeer);
    assert.deepEqual(await set('peer', NAMED, 'remove', ''), [...ofPeer.slice(1), 'peer']);
    assert.deepEqual(await set('peer', NAMED, 'allowed-ips', '-10.0.0.0/8', 'peer', UNNAMED, ''), ofPeer);
    assert.deepEqual(await set('peer', NAMED, 'persistent-keepalive', ''), ['25', 'off']);
    assert.deepEqual(await set('bogus', ''), []);
    assert.equal((await complete(COMMANDS, machine, 'wiretype', ['set', 'wg0', 'private-key', ''])).fileEnding, '');
  });

  it('completes peers: by key of a running interface, by name and key of a file', async () => {
    assert.deepEqual((await complete(COMMANDS, machine, 'wiretype', ['set', 'wg0', 'peer', ''])).words, [
      { word: NAMED, about: 'alice smith' },
    ]);
    assert.deepEqual(await wordsOf('wiretype', 'remove-peer', 'wg0', ''), ['alice smith', NAMED, UNNAMED]);
    assert.deepEqual(await wordsOf('wiretype', 'explain', 'wg0', ''), ['alice smith', NAMED, UNNAMED]);
  });

  it('is silent where nothing can be read', async () => {
    assert.deepEqual(await wordsOf('wiretype', 'explain', 'missing', ''), []);
    assert.deepEqual(await wordsOf('wiretype', 'explain', 'office', ''), []);
    assert.deepEqual(await wordsOf('wiretype', 'set', 'missing', 'peer', ''), []);
    const nowhere = new MachineWords(join(folder, 'a'), join(folder, 'b'));
    assert.deepEqual((await complete(COMMANDS, nowhere, 'wiretype', ['up', ''])).words, []);
    assert.deepEqual((await complete(COMMANDS, nowhere, 'wiretype', ['watch', ''])).words, []);
  });

  it('offers wg what wg knows', async () => {
    const all = ['show', 'showconf', 'set', 'setconf', 'addconf', 'syncconf', 'genkey', 'genpsk', 'pubkey'];
    assert.deepEqual(await wordsOf('wg', ''), all);
    assert.deepEqual(await wordsOf('wg', 'show', '-'), ['--help']);
    assert.deepEqual(await wordsOf('wg', 'setconf', ''), ['wg0']);
  });

  it('offers wg-quick its verbs, with or without another implementation', async () => {
    assert.deepEqual(await wordsOf('wg-quick', ''), ['up', 'down', 'save', 'strip']);
    assert.deepEqual(await wordsOf('wg-quick', '--implementation', 'wireguard-go', ''), [
      'up',
      'down',
      'save',
      'strip',
    ]);
    assert.deepEqual(await wordsOf('wg-quick', 'up', ''), ['office', 'wg0']);
    assert.deepEqual(await wordsOf('wg-quick', 'up', 'wg0', ''), []);
    assert.deepEqual(await wordsOf('wg-quick', '-'), ['--implementation', '--help']);
  });

  async function wordsOf(program: string, ...words: string[]): Promise<string[]> {
    return (await complete(COMMANDS, machine, program, words)).words.map(({ word }) => word);
  }
});
