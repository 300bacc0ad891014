import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';

import { parseConfig } from '../../../src/control/config/index.js';
import { arbitraryText } from './arbitrary-text.js';

const KEYS = [1, 2, 3].map((byte) => Buffer.alloc(32, byte).toString('base64'));

describe('editing a configuration file', () => {
  const text = `# head
[Interface]
  ListenPort = 51820   # the port
  Address = 10.0.0.1/24

# Anna
[Peer]
PublicKey=${KEYS[0]}
AllowedIPs=10.0.0.2/32

# Bert
# (in the attic)
[Peer]
PublicKey = ${KEYS[1]}
# foot`;

  it('puts a value in the place of another and keeps everything around it', () => {
    const document = parseConfig(text, 'wg0.conf');
    document.interfaceSection!.set('listenport', '7');
    assert.equal(document.text, text.replace('51820', '7'));
  });

  it('adds a key behind the last one of the section, spaced as that one is', () => {
    const document = parseConfig(text, 'wg0.conf');
    document.interfaceSection!.set('MTU', '1380');
    document.peers[0]!.set('PersistentKeepalive', '25');
    assert.equal(
      document.text,
      text
        .replace('Address = 10.0.0.1/24\n', 'Address = 10.0.0.1/24\n  MTU = 1380\n')
        .replace('10.0.0.2/32\n', '10.0.0.2/32\nPersistentKeepalive=25\n'),
    );
  });

  it('adds a peer at the end, below a blank line', () => {
    const document = parseConfig(text, 'wg0.conf');
    const peer = document.addPeer(KEYS[2]!, 'Cora');
    peer.set('AllowedIPs', '10.0.0.3/32');
    assert.equal(document.text, `${text}\n\n[Peer]\n# Name = Cora\nPublicKey = ${KEYS[2]}\nAllowedIPs = 10.0.0.3/32\n`);
    assert.equal(document.peer(KEYS[2]!)?.name, 'Cora');
  });

  it('takes a peer out with the comments above it and leaves the others', () => {
    const document = parseConfig(text, 'wg0.conf');
    assert.equal(document.removePeer(document.peer(KEYS[0]!)!), true);
    assert.equal(document.text, text.replace(/# Anna.*?\n\n/s, ''));
    assert.equal(document.peers.length, 1);
  });

  it('takes the lines of a key away', () => {
    const document = parseConfig(text, 'wg0.conf');
    assert.equal(document.interfaceSection!.delete('ListenPort'), true);
    assert.equal(document.interfaceSection!.delete('ListenPort'), false);
    assert.equal(document.text, text.replace(/ {2}ListenPort.*\n/, ''));
  });

  it('makes an [Interface] section at the top where there is none', () => {
    const document = parseConfig(`[Peer]\nPublicKey = ${KEYS[0]}\n`, 'wg0.conf');
    document.ensureInterface().set('ListenPort', '5');
    assert.equal(document.text, `[Interface]\nListenPort = 5\n\n[Peer]\nPublicKey = ${KEYS[0]}\n`);
  });

  it('writes the line ends of the file', () => {
    const document = parseConfig('[Interface]\r\nListenPort = 5\r\n', 'wg0.conf');
    document.addPeer(KEYS[0]!);
    assert.equal(document.text, `[Interface]\r\nListenPort = 5\r\n\r\n[Peer]\r\nPublicKey = ${KEYS[0]}\r\n`);
  });

  for (const [key, value] of [
    ['ListenPort', '99999'],
    ['ListenPort', '5\nPostUp = evil'],
    ['ListenPort', '5 # x'],
    ['DNS', 'example.net#x'],
    ['PostUp', 'a\rb\n'],
    ['PublicKey', KEYS[0]!],
    ['Bogus', 'x'],
  ] as const) {
    it(`refuses ${key} = ${JSON.stringify(value)}, which would not be read back`, () => {
      const document = parseConfig(text, 'wg0.conf');
      assert.throws(() => document.interfaceSection!.set(key, value), { code: 'ERR_CONFIG' });
      assert.equal(document.text, text);
    });
  }

  it('refuses a second peer of the same key', () => {
    assert.throws(() => parseConfig(text, 'wg0.conf').addPeer(KEYS[0]!), { code: 'ERR_CONFIG' });
  });

  it('keeps a name on one line', () => {
    const document = parseConfig('', 'wg0.conf');
    document.addPeer(KEYS[0]!, 'a\n[Peer]\r\nb');
    assert.deepEqual(document.problems, []);
    assert.equal(document.peers.length, 1);
  });

  it('reads back what it wrote into any text', () => {
    fc.assert(
      fc.property(arbitraryText(), (before) => {
        const document = parseConfig(before, 'wg0.conf');
        fc.pre(document.peer(KEYS[2]!) === undefined);
        const errors = document.problems.length;
        const others = document.peers.map(({ publicKeyText }) => publicKeyText);

        document.addPeer(KEYS[2]!, 'new').set('AllowedIPs', '10.0.0.9/32');
        const again = parseConfig(document.text, 'wg0.conf');

        assert.deepEqual(
          again.peers.map(({ publicKeyText }) => publicKeyText),
          [...others, KEYS[2]],
        );
        assert.equal(again.peers.at(-1)!.allowedIps[0]!.text, '10.0.0.9/32');
        assert.equal(again.problems.length, errors);
        assert.ok(document.text.startsWith(before));
        again.removePeer(again.peers.at(-1)!);
        assert.equal(again.problems.length, errors);
      }),
      { numRuns: 500 },
    );
  });

  it('changes one line at most when it sets a key of any text', () => {
    fc.assert(
      fc.property(arbitraryText(), (before) => {
        const document = parseConfig(before, 'wg0.conf');
        const section = document.ensureInterface();

        section.set('MTU', '1234');

        const again = parseConfig(document.text, 'wg0.conf');
        assert.equal(again.interfaceSection!.mtu, 1_234);
        const kept = new Set(linesOf(document.text));
        const missing = linesOf(before).filter((line) => !kept.has(line) && !/^\s*M\s*T\s*U/i.test(line));
        assert.deepEqual(missing, []);
      }),
      { numRuns: 500 },
    );
  });
});

/** Without their ends, a lone carriage return at the very end included. */
function linesOf(text: string): string[] {
  return text
    .replace('\ufeff', '')
    .split('\n')
    .map((line) => line.replace(/\r$/, ''));
}
