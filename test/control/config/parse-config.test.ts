import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';

import { parseConfig } from '../../../src/control/config/index.js';
import { arbitraryText } from './arbitrary-text.js';

/** Work that grows with the square of the lines takes hours, on any machine. */
const LARGE_FILE_TIMEOUT_MS = 120_000;

const KEY = Buffer.alloc(32, 7).toString('base64');
const PSK = Buffer.alloc(32, 9).toString('base64');

const EVERY_KEY = `# the office
[Interface]
Address = 10.0.0.1/24, fd00::1
Address = 10.1.0.1/16
ListenPort = 51820
PrivateKey = ${KEY} # secret
FwMark = 0xca6c
DNS = 1.1.1.1, fd00::53, example.net
MTU = 1380
Table = off
PreUp = echo "%i" # not a comment
PostUp = iptables -A FORWARD -i %i -j ACCEPT
PostUp = true
PreDown=echo down
PostDown = echo gone
SaveConfig = TRUE

# Anna's phone
[Peer]
PublicKey = ${PSK}
PresharedKey=${KEY}
AllowedIPs = 10.0.0.2/32, 0.0.0.0/0
AllowedIPs = +fd00::2, -10.9.0.0/16
Endpoint = [2001:db8::1]:51820
PersistentKeepalive = 25
`;

describe('parseConfig', () => {
  it('keeps any text to the last character', () => {
    fc.assert(
      fc.property(arbitraryText(), (text) => {
        assert.equal(parseConfig(text, 'wg0.conf').text, text);
      }),
      { numRuns: 2_000 },
    );
  });

  for (const [what, text] of [
    ['nothing', ''],
    ['a byte order mark', `\ufeff${EVERY_KEY}`],
    ['line ends of Windows', EVERY_KEY.replaceAll('\n', '\r\n')],
    ['tabs', EVERY_KEY.replaceAll(' = ', '\t=\t')],
    ['no line feed at the end', EVERY_KEY.slice(0, -1)],
  ] as const) {
    it(`reads a file with ${what}`, () => {
      const document = parseConfig(text, 'wg0.conf');

      assert.equal(document.text, text);
      assert.deepEqual(document.problems, []);
      assert.equal(document.peers.length, text === '' ? 0 : 1);
    });
  }

  it('returns the values of the interface, typed', () => {
    const section = parseConfig(EVERY_KEY, 'wg0.conf').interfaceSection!;

    assert.deepEqual(section.privateKey, new Uint8Array(32).fill(7));
    assert.equal(section.listenPort, 51_820);
    assert.equal(section.fwMark, 0xca6c);
    assert.deepEqual(
      section.addresses.map(({ text, prefixLength }) => [text, prefixLength]),
      [
        ['10.0.0.1/24', 24],
        ['fd00::1', 128],
        ['10.1.0.1/16', 16],
      ],
    );
    assert.deepEqual(section.dns, { servers: ['1.1.1.1', 'fd00::53'], searchDomains: ['example.net'] });
    assert.equal(section.mtu, 1_380);
    assert.equal(section.table, 'off');
    assert.equal(section.saveConfig, true);
    assert.deepEqual(section.hooks('PreUp'), ['echo "%i" # not a comment']);
    assert.deepEqual(section.hooks('PostUp'), ['iptables -A FORWARD -i %i -j ACCEPT', 'true']);
    assert.deepEqual(section.hooks('PreDown'), ['echo down']);
    assert.deepEqual(section.hooks('PostDown'), ['echo gone']);
  });

  it('returns the values of a peer, typed', () => {
    const peer = parseConfig(EVERY_KEY, 'wg0.conf').peers[0]!;

    assert.equal(peer.publicKeyText, PSK);
    assert.deepEqual(peer.publicKey, new Uint8Array(32).fill(9));
    assert.deepEqual(peer.presharedKey, new Uint8Array(32).fill(7));
    assert.deepEqual(peer.endpoint, { host: '2001:db8::1', port: 51_820 });
    assert.equal(peer.persistentKeepalive, 25);
    assert.equal(peer.name, "Anna's phone");
    assert.deepEqual(
      peer.allowedIps.map(({ text, prefixLength, isRemoval, isIncremental }) => [
        text,
        prefixLength,
        isRemoval,
        isIncremental,
      ]),
      [
        ['10.0.0.2/32', 32, false, false],
        ['0.0.0.0/0', 0, false, false],
        ['+fd00::2', 128, false, true],
        ['-10.9.0.0/16', 16, true, true],
      ],
    );
  });

  it('returns nothing for absent keys', () => {
    const { interfaceSection, peers } = parseConfig(`[Interface]\n[Peer]\nPublicKey = ${KEY}\n`, 'wg0.conf');

    assert.equal(interfaceSection!.privateKey, undefined);
    assert.equal(interfaceSection!.listenPort, undefined);
    assert.equal(interfaceSection!.fwMark, undefined);
    assert.deepEqual(interfaceSection!.addresses, []);
    assert.deepEqual(interfaceSection!.dns, { servers: [], searchDomains: [] });
    assert.equal(interfaceSection!.saveConfig, false);
    assert.equal(peers[0]!.endpoint, undefined);
    assert.equal(peers[0]!.persistentKeepalive, undefined);
    assert.equal(peers[0]!.name, undefined);
    assert.equal(parseConfig('', 'wg0.conf').interfaceSection, undefined);
  });

  it('takes a list of wg-quick as its shell does: white space separates, a comma too many means nothing', () => {
    const text =
      '[Interface]\nAddress = , 10.0.0.1/255.255.252.0 fd00::1/64,,10.0.0.2\t,\nAddress =\nAddress = ,\nDNS = ,1.1.1.1,a b,\n';
    const section = parseConfig(text, 'wg0.conf').interfaceSection!;

    assert.deepEqual(
      section.addresses.map(({ text, prefixLength }) => [text, prefixLength]),
      [
        ['10.0.0.1/255.255.252.0', 22],
        ['fd00::1/64', 64],
        ['10.0.0.2', 32],
      ],
    );
    assert.deepEqual(section.dns, { servers: ['1.1.1.1'], searchDomains: ['a', 'b'] });
  });

  it('takes an MTU or a table without a value for one that is not said', () => {
    const section = parseConfig('[Interface]\nMTU =\nTable =\n', 'wg0.conf').interfaceSection!;

    assert.deepEqual([section.mtu, section.table], [undefined, undefined]);
  });

  it('takes several [Interface] sections as one, of which the last word counts', () => {
    const text = '[Interface]\nListenPort = 1\nAddress = 10.0.0.1\n[interface]\nLISTENPORT = 2\nAddress = 10.0.0.2\n';
    const document = parseConfig(text, 'wg0.conf');

    assert.equal(document.interfaceSection!.listenPort, 2);
    assert.deepEqual(
      document.interfaceSection!.addresses.map((address) => address.text),
      ['10.0.0.1', '10.0.0.2'],
    );
    assert.deepEqual(
      document.problems.map(({ severity, line }) => [severity, line]),
      [['warning', 4]],
    );
  });

  for (const [comment, name] of [
    ['[Peer]\n# Name = laptop\n', 'laptop'],
    ['[Peer]\n#friendly_name=laptop\n', 'laptop'],
    ['### Client: laptop\n[Peer]\n', 'laptop'],
    ['# laptop\n[Peer]\n', 'laptop'],
    ['# first\n# laptop\n[Peer]\n', 'laptop'],
    ['# laptop\n\n[Peer]\n', undefined],
    ['[Peer]\n# just a note\n', undefined],
  ] as const) {
    it(`reads the name of a peer from ${JSON.stringify(comment)}`, () => {
      const text = `[Interface]\nListenPort = 5\n\n${comment}PublicKey = ${KEY}\n`;
      assert.equal(parseConfig(text, 'wg0.conf').peers[0]!.name, name);
    });
  }

  it('leaves an entry that was commented out with the section above it', () => {
    const text = `[Peer]\nPublicKey = ${KEY}\n# AllowedIPs = 10.0.0.2/32\n[Peer]\nPublicKey = ${PSK}\n`;
    const document = parseConfig(text, 'wg0.conf');

    document.removePeer(document.peers[1]!);

    assert.equal(document.text, `[Peer]\nPublicKey = ${KEY}\n# AllowedIPs = 10.0.0.2/32\n`);
  });

  it('reads 100,000 peers in seconds', { timeout: LARGE_FILE_TIMEOUT_MS }, () => {
    const peers = Array.from({ length: 100_000 }, (_, i) => {
      const key = Buffer.alloc(32);
      key.writeUInt32LE(i);
      const address = `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}/32`;
      return `[Peer]\n# Name = peer${i}\nPublicKey = ${key.toString('base64')}\nAllowedIPs = ${address}\n`;
    });
    const text = `[Interface]\nListenPort = 51820\n\n${peers.join('\n')}`;

    const document = parseConfig(text, 'wg0.conf');
    document.assertValid();
    const allowedIps = document.peers.flatMap((peer) => peer.allowedIps);

    assert.equal(allowedIps.length, 100_000);
    assert.equal(document.text, text);
  });

  it('finds 100,000 errors', { timeout: LARGE_FILE_TIMEOUT_MS }, () => {
    const text = `[Interface]\n${'ListenPortt = 5\n'.repeat(50_000)}${'[Peer]\n'.repeat(50_000)}`;

    const { length } = parseConfig(text, 'wg0.conf').problems;

    assert.equal(length, 100_000);
  });
});
