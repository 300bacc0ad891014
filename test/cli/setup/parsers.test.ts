import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { findPeer } from '../../../src/cli/setup/file-peers.js';
import { checkOption, checkPeerName } from '../../../src/cli/setup/option-values.js';
import { readClientDefaults } from '../../../src/cli/setup/server-config.js';
import { parseConfig } from '../../../src/control/config/index.js';
import { WireGuardError } from '../../../src/core/errors.js';
import { arbitraryText } from '../../control/config/arbitrary-text.js';

const KEYS = ['Address', 'AllowedIPs', 'DNS', 'Endpoint', 'ListenPort', 'MTU', 'PersistentKeepalive', 'PublicKey'];

describe('what init, add-peer and remove-peer read', () => {
  it('is a value for a file on one line, or an error, whatever the text', () => {
    fc.assert(
      fc.property(fc.constantFrom(...KEYS), anyText(), (key, text) => {
        if (failsOnlyWith('ERR_VALUE', () => void checkOption('--option', key, text))) return;
        const document = parseConfig(`[Interface]\n[Peer]\n${key} = ${text}\n`, 'wg0.conf');
        assert.equal([...document.lines()].length, 3);
      }),
      { numRuns: 1_000 },
    );
  });

  it('is a name that a comment gives back, or an error, whatever the text', () => {
    fc.assert(
      fc.property(anyText(), (text) => {
        let name = '';
        const isRefused = failsOnlyWith('ERR_VALUE', () => {
          name = checkPeerName(text);
        });
        if (isRefused) return;
        const document = parseConfig('', 'wg0.conf');
        document.addPeer(Buffer.alloc(32, 7).toString('base64'), name);
        assert.equal(parseConfig(document.text, 'wg0.conf').peers[0]!.name, name);
      }),
      { numRuns: 1_000 },
    );
  });

  it('is a peer or a setting of any file, or an error', () => {
    fc.assert(
      fc.property(arbitraryText(), anyText(), (text, name) => {
        const document = parseConfig(text, 'wg0.conf');
        failsOnlyWith('ERR_PEER', () => void findPeer(document, name));
        readClientDefaults(document);
      }),
      { numRuns: 500 },
    );
  });
});

function anyText(): fc.Arbitrary<string> {
  return fc.oneof(fc.string({ unit: 'binary', maxLength: 20 }), fc.stringMatching(/^[0-9a-f:./,% #=[\]-]{0,24}$/));
}

/** @returns Whether it fails, as it may. */
function failsOnlyWith(code: string, run: () => void): boolean {
  try {
    run();
    return false;
  } catch (error) {
    assert.ok(error instanceof WireGuardError && error.code === code, String(error));
    return true;
  }
}
