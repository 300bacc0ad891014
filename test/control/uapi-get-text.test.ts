import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { DeviceState, PeerState } from '../../src/control/device-control.js';
import { parseEndpoint } from '../../src/control/endpoint-text.js';
import { parseIpPrefix } from '../../src/control/ip-text.js';
import { parseGet } from '../../src/control/uapi-get-parser.js';
import { formatGet } from '../../src/control/uapi-get-text.js';
import type { ZoneNames } from '../../src/control/zone-names.js';
import { arbitraryState } from './arbitrary-change.js';

const ZONES: ZoneNames = {
  indexOf: (name) => (name === 'lo' ? 1 : undefined),
  nameOf: (index) => (index === 1 ? 'lo' : undefined),
};

const PEER: PeerState = {
  publicKey: new Uint8Array(32).fill(0x11),
  presharedKey: new Uint8Array(32),
  endpoint: undefined,
  persistentKeepaliveSeconds: 0,
  rxBytes: 0,
  txBytes: 0,
  lastHandshakeUnixMs: 0,
  allowedIps: [],
};
const DEVICE: DeviceState = { privateKey: undefined, listenPort: 0, fwmark: 0, peers: [] };

describe('get of the configuration protocol', () => {
  it('leaves out what a fresh device does not have', () => {
    assert.equal(format(DEVICE), '');
    assert.doesNotMatch(format({ ...DEVICE, peers: [PEER] }), /endpoint|allowed_ip/);
  });

  it('writes every key in the order that other implementations have', () => {
    const text = format({
      privateKey: new Uint8Array(32).fill(0xaa),
      listenPort: 51_820,
      fwmark: 0xca6c,
      peers: [
        {
          ...PEER,
          endpoint: parseEndpoint('[fe80::1%lo]:7', ZONES),
          persistentKeepaliveSeconds: 25,
          rxBytes: 2 ** 53 - 1,
          txBytes: 148,
          lastHandshakeUnixMs: 1_700_000_000_123,
          allowedIps: [parseIpPrefix('10.0.0.0/8')!, parseIpPrefix('fd00::/64')!],
        },
      ],
    });

    assert.deepEqual(text.split('\n'), [
      `private_key=${'aa'.repeat(32)}`,
      'listen_port=51820',
      'fwmark=51820',
      `public_key=${'11'.repeat(32)}`,
      `preshared_key=${'00'.repeat(32)}`,
      'protocol_version=1',
      'endpoint=[fe80::1%lo]:7',
      'last_handshake_time_sec=1700000000',
      'last_handshake_time_nsec=123000000',
      'tx_bytes=148',
      'rx_bytes=9007199254740991',
      'persistent_keepalive_interval=25',
      'allowed_ip=10.0.0.0/8',
      'allowed_ip=fd00::/64',
      '',
    ]);
  });

  it('is read back as it was', () => {
    fc.assert(
      fc.property(arbitraryState, (state) => {
        assert.deepEqual(parseGet(Buffer.from(`${format(state)}errno=0\n\n`), ZONES), state);
      }),
    );
  });

  it('comes in chunks that stay near 64 KiB, also within one peer', () => {
    const allowedIps = Array.from(
      { length: 20_000 },
      () => parseIpPrefix('2001:db8:1111:2222:3333:4444:5555:6666/128')!,
    );
    const chunks = [...formatGet({ ...DEVICE, peers: [{ ...PEER, allowedIps }] }, ZONES)];

    assert.ok(chunks.length > 10);
    for (const chunk of chunks) assert.ok(chunk.length <= 64 * 1_024);
    assert.equal(
      Buffer.concat(chunks)
        .toString()
        .match(/allowed_ip=/g)?.length,
      20_000,
    );
  });
});

describe('the answer of another daemon', () => {
  it('may hold keys that are not known', () => {
    const text = `own_public_key=${'11'.repeat(32)}\nlisten_port=1\nnew=thing\npublic_key=${'22'.repeat(32)}\nx=\nerrno=0\n\n`;
    assert.equal(parseGet(Buffer.from(text), ZONES).listenPort, 1);
  });

  for (const [why, text] of [
    ['is empty', ''],
    ['has no errno', 'listen_port=1\n\n'],
    ['has no empty line at its end', 'listen_port=1\nerrno=0\n'],
    ['is cut in a line', 'listen_port=1\nerrn'],
    ['has a negative counter', `public_key=${'22'.repeat(32)}\nrx_bytes=-1\nerrno=0\n\n`],
    ['has a line without "="', 'listen_port\nerrno=0\n\n'],
    ['has an allowed IP without a length', `public_key=${'22'.repeat(32)}\nallowed_ip=10.0.0.1\nerrno=0\n\n`],
    ['has an errno that is no number', 'errno=x\n\n'],
  ])
    it(`is not believed when it ${why}`, () => {
      assert.throws(() => parseGet(Buffer.from(text), ZONES), { code: 'ERR_CONTROL_REPLY' });
    });

  for (const endpoint of ['', 'example.net:5', '[fe80::1%eth-of-another-namespace]:5', '1.2.3.4:99999'])
    it(`has a peer without endpoint where that cannot be read: "${endpoint}"`, () => {
      const reply = `public_key=${'22'.repeat(32)}\nendpoint=${endpoint}\nallowed_ip=10.0.0.0/8\nerrno=0\n\n`;

      const [peer] = parseGet(Buffer.from(reply), ZONES).peers;

      assert.equal(peer!.endpoint, undefined);
      assert.equal([...peer!.allowedIps].length, 1);
    });

  it('may have an endpoint of port 0', () => {
    const reply = `public_key=${'22'.repeat(32)}\nendpoint=192.0.2.1:0\nerrno=0\n\n`;

    const [peer] = parseGet(Buffer.from(reply), ZONES).peers;

    assert.equal(peer!.endpoint?.port, 0);
  });

  it('may be a refusal, with either sign', () => {
    for (const errno of [22, -22])
      assert.throws(() => parseGet(Buffer.from(`errno=${errno}\n\n`), ZONES), {
        code: 'ERR_CONTROL_REFUSED',
        message: /errno 22/,
      });
  });
});

function format(state: DeviceState): string {
  return Buffer.concat([...formatGet(state, ZONES)]).toString('latin1');
}
