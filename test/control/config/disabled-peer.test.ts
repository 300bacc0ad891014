import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';

import { disabledPeers, disablePeer, enablePeer } from '../../../src/control/config/disabled-peer.js';
import { parseConfig } from '../../../src/control/config/index.js';
import { arbitraryText } from './arbitrary-text.js';

const KEYS = [1, 2, 3].map((byte) => Buffer.alloc(32, byte).toString('base64'));

const TEXT = `[Interface]
ListenPort = 5
# Anna
[Peer]
PublicKey = ${KEYS[0]}

AllowedIPs = 10.0.0.2/32 # phone

# Ben
[Peer]
PublicKey = ${KEYS[1]}
AllowedIPs = 10.0.0.3/32

[Peer]
# Name = Cleo
PublicKey = ${KEYS[2]}`;

describe('disabled peers of a file', () => {
  it('are comments, each line with a mark, and the comment above goes along', () => {
    const document = parseConfig(TEXT, 'wg0.conf');
    disablePeer(document, document.peers[0]!);
    assert.equal(
      document.text,
      TEXT.replace(/# Anna\n.*?# phone\n/s, (lines) =>
        lines
          .trimEnd()
          .split('\n')
          .map((line) => `${line === '' ? '#-' : `#- ${line}`}\n`)
          .join(''),
      ),
    );
    assert.deepEqual(document.problems, []);
  });

  it('are found again with name, key and allowed IPs, and are no peers', () => {
    const document = parseConfig(TEXT, 'wg0.conf');
    for (const peer of [...document.peers]) disablePeer(document, peer);
    const again = parseConfig(document.text, 'wg0.conf');
    assert.equal(again.peers.length, 0);
    assert.deepEqual(
      disabledPeers(again).map(({ peer }) => [peer.name, peer.publicKeyText]),
      [
        ['Anna', KEYS[0]],
        ['Ben', KEYS[1]],
        ['Cleo', KEYS[2]],
      ],
    );
  });

  it('stay when the peer before or behind them is removed', () => {
    for (const removed of [0, 2]) {
      const document = parseConfig(TEXT, 'wg0.conf');
      disablePeer(document, document.peers[1]!);
      const again = parseConfig(document.text, 'wg0.conf');
      again.removePeer(again.peer(KEYS[removed]!)!);
      assert.equal(disabledPeers(parseConfig(again.text, 'wg0.conf'))[0]!.peer.name, 'Ben');
    }
  });

  it('can be the end of a file that gets another peer', () => {
    const document = parseConfig(TEXT, 'wg0.conf');
    disablePeer(document, document.peers[2]!);
    const again = parseConfig(document.text, 'wg0.conf');
    again.addPeer(Buffer.alloc(32, 9).toString('base64'), 'Dora');
    const last = parseConfig(again.text, 'wg0.conf');
    assert.deepEqual([last.peers.at(-1)!.name, disabledPeers(last)[0]!.peer.name], ['Dora', 'Cleo']);
  });

  it('are comments of the section above where an entry of it follows', () => {
    const document = parseConfig(`[Interface]\n#- [Peer]\n#- PublicKey = ${KEYS[0]}\nListenPort = 5\n`, 'wg0.conf');
    assert.equal(document.interfaceSection!.listenPort, 5);
    assert.deepEqual(disabledPeers(document), []);
  });

  it('are not made of comments that only look like them', () => {
    for (const comment of ['#- a note', '#-[Peer]', '#- [Interface]\n#- MTU = 1400', '#- a\n#- [Peer]']) {
      const document = parseConfig(`[Interface]\n${comment}\n`, 'wg0.conf');
      assert.deepEqual([document.sections.length, disabledPeers(document)], [1, []], comment);
    }
  });

  it('come back to the letter, whatever the file', () => {
    fc.assert(
      fc.property(arbitraryText(), fc.nat(5), (text, which) => {
        const document = parseConfig(text, 'wg0.conf');
        assert.equal(document.text, text);
        const peer = document.peers[which];
        if (peer === undefined) return;
        disablePeer(document, peer);
        const again = parseConfig(document.text, 'wg0.conf');
        const disabled = disabledPeers(again).find(({ peer: found }) => found.section.text === peer.section.text);
        if (disabled === undefined) return; // the end of the section before it took its first comment
        enablePeer(again, disabled);
        assert.equal(again.text, text);
      }),
      { numRuns: 2_000 },
    );
  });

  it('are read in time that grows with the file, whatever its comments', () => {
    const start = performance.now();
    parseConfig(`${'#- a\n\n'.repeat(50_000)}x = 5\n`, 'wg0.conf');
    parseConfig(`${'#- '.repeat(200_000)}[Peer]\n`, 'wg0.conf');
    assert.ok(performance.now() - start < 5_000);
  });
});
