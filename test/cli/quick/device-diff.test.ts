import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { diffDevice } from '../../../src/cli/quick/device-diff.js';
import type { QuickConfig } from '../../../src/cli/quick/quick-config.js';
import { parseConfig } from '../../../src/control/config/index.js';
import type { DeviceState, PeerState } from '../../../src/control/device-control.js';
import { formatIpPrefix, parseIpPrefix } from '../../../src/control/ip-text.js';
import { parseKey } from '../../../src/control/key-text.js';
import type { PeerChange } from '../../../src/core/configuration.js';
import { Endpoint } from '../../../src/wire/endpoint.js';

const PRIVATE = 'yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=';
const ONE = 'xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=';
const TWO = 'TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0=';
const SECRET = '/UwcSPg38hW/D9Y3tcS1FOV0K1wuURMbS0sesJEP5ak=';

describe('diffDevice', () => {
  it('finds nothing where device and file say the same', async () => {
    const diff = await diff_(peerLines('10.0.0.7/24', 'Endpoint = 192.0.2.1:1', 'PersistentKeepalive = 25'), [
      peerOf(ONE, { allowedIps: ['10.0.0.0/24'], endpoint: [192, 0, 2, 1], persistentKeepaliveSeconds: 25 }),
    ]);

    assert.deepEqual(diff.lines, []);
    assert.deepEqual(diff.change, { replacePeers: false, peers: [] });
  });

  it('names the peers that the file names, disabled ones included', async () => {
    const lines = [
      ...peerLines('10.0.0.0/24', '# Name = office'),
      `#- [Peer]`,
      `#- # Name = phone`,
      `#- PublicKey = ${TWO}`,
    ];
    const diff = await diff_(lines, [peerOf(TWO, { allowedIps: ['10.2.0.0/16'] })]);
    assert.deepEqual(diff.lines, [`- peer phone (${TWO})`, `+ peer office (${ONE}) 10.0.0.0/24`]);
  });

  it('adds, removes and changes peers, and knows the way back', async () => {
    const lines = [...peerLines('10.0.0.0/24', 'PersistentKeepalive = 25', `PresharedKey = ${SECRET}`)];
    const diff = await diff_(lines, [
      peerOf(ONE, { allowedIps: ['10.0.0.0/24', '10.1.0.0/16'], persistentKeepaliveSeconds: 5 }),
      peerOf(TWO, { allowedIps: ['10.2.0.0/16'], presharedKey: SECRET }),
    ]);

    assert.deepEqual(diff.lines, [
      `- peer ${TWO}`,
      `~ peer ${ONE} preshared key, persistent keepalive 25, allowed IPs 10.0.0.0/24`,
    ]);
    assert.deepEqual(
      diff.change.peers.map(({ isRemoval, isUpdateOnly }) => [isRemoval, isUpdateOnly]),
      [
        [true, false],
        [false, true],
      ],
    );
    const [restored, changedBack] = diff.inverse.peers as [PeerChange, PeerChange];
    assert.deepEqual(restored.allowedIps.map(formatIpPrefix), ['10.2.0.0/16']);
    assert.deepEqual(restored.presharedKey, parseKey(SECRET, ''));
    assert.deepEqual(changedBack.allowedIps.map(formatIpPrefix), ['10.0.0.0/24', '10.1.0.0/16']);
    assert.equal(changedBack.persistentKeepaliveSeconds, 5);
  });

  it('never shows a secret', async () => {
    const diff = await diff_([`PrivateKey = ${PRIVATE}`, ...peerLines('10.0.0.0/24', `PresharedKey = ${SECRET}`)], []);
    assert.ok(!diff.lines.join().includes(SECRET) && !diff.lines.join().includes(PRIVATE));
  });

  it('leaves what the file does not say about the interface as it is', async () => {
    const diff = await diff_(['ListenPort = 0'], [], {
      privateKey: parseKey(PRIVATE, ''),
      listenPort: 51_820,
      fwmark: 7,
    });
    assert.deepEqual(diff.lines, []);
  });

  it('takes a private key for the one that a device makes of it (RFC 7748 §5)', async () => {
    const unclamped = Buffer.alloc(32, 0xff);
    const clamped = Uint8Array.from(unclamped);
    clamped[0] = 0xf8;
    clamped[31] = 0x7f;

    const diff = await diff_([`PrivateKey = ${unclamped.toString('base64')}`], [], { privateKey: clamped });

    assert.deepEqual(diff.lines, []);
  });

  it('changes key, port and mark that the file says', async () => {
    const diff = await diff_(
      ['ListenPort = 2', `PrivateKey = ${PRIVATE}`],
      [],
      { listenPort: 1, fwmark: 7 },
      { fwmark: 9 },
    );

    assert.deepEqual(diff.lines, ['~ private key', '~ listen port 1 → 2', '~ fwmark 7 → 9']);
    assert.deepEqual([diff.change.listenPort, diff.inverse.listenPort], [2, 1]);
    assert.deepEqual(diff.inverse.privateKey, new Uint8Array(32));
  });

  it('leaves an endpoint that has roamed, and follows one that was edited', async () => {
    const live = [peerOf(ONE, { allowedIps: ['10.0.0.0/24'], endpoint: [198, 51, 100, 9] })];
    const lines = peerLines('10.0.0.0/24', 'Endpoint = 192.0.2.1:1');

    const roamed = await diff_(lines, live, {}, { endpointsBefore: { [ONE]: '192.0.2.1:1' } });
    const edited = await diff_(lines, live, {}, { endpointsBefore: { [ONE]: '192.0.2.7:1' } });
    const unknown = await diff_(lines, live, {}, { endpointsBefore: undefined });

    assert.deepEqual(roamed.lines, []);
    assert.deepEqual(edited.lines, [`~ peer ${ONE} endpoint`]);
    assert.deepEqual(unknown.lines, [`~ peer ${ONE} endpoint`]);
    assert.deepEqual(
      [...edited.endpoints].map(({ address }) => [...address]),
      [[192, 0, 2, 1]],
      'for the MTU',
    );
  });

  it('looks up a name only where it has to', async () => {
    let lookups = 0;
    const lookup = async () => {
      lookups++;
      return [{ address: '192.0.2.1', family: 4 }];
    };
    const names = { retries: 0, interruption: new AbortController().signal, warn: () => {}, lookup };
    const live = [peerOf(ONE, { allowedIps: ['10.0.0.0/24'], endpoint: [192, 0, 2, 1] })];
    const lines = peerLines('10.0.0.0/24', 'Endpoint = vpn.example:1');

    await diff_(lines, live, {}, { endpointsBefore: { [ONE]: 'vpn.example:1' }, names });
    assert.equal(lookups, 0);
    assert.deepEqual((await diff_(lines, live, {}, { endpointsBefore: undefined, names })).lines, []);
    assert.equal(lookups, 1);
  });

  it('keeps a preshared key that a hook has set', async () => {
    const live = [peerOf(ONE, { allowedIps: ['10.0.0.0/24'], presharedKey: SECRET })];
    const hook = { name: 'PostUp', command: 'wg set %i peer X preshared-key <(pass x)', line: 1 } as const;

    assert.deepEqual((await diff_(peerLines('10.0.0.0/24'), live)).lines, [`~ peer ${ONE} preshared key`]);
    assert.deepEqual((await diff_(peerLines('10.0.0.0/24'), live, {}, {}, [hook])).lines, []);
  });
});

async function diff_(
  lines: readonly string[],
  peers: readonly PeerState[],
  device: Partial<DeviceState> = {},
  context: Partial<Parameters<typeof diffDevice>[2]> = {},
  hooks: QuickConfig['hooks'] = [],
) {
  const document = parseConfig(['[Interface]', ...lines].join('\n'), 'f');
  document.assertValid();
  const config = { document, hooks } as unknown as QuickConfig;
  const names = { retries: 0, interruption: new AbortController().signal, warn: () => {} };
  return await diffDevice(
    config,
    { privateKey: undefined, listenPort: 0, fwmark: 0, peers, ...device },
    { endpointsBefore: {}, fwmark: undefined, names, ...context },
  );
}

function peerLines(allowedIps: string, ...more: string[]): string[] {
  return ['[Peer]', `PublicKey = ${ONE}`, `AllowedIPs = ${allowedIps}`, ...more];
}

function peerOf(
  key: string,
  state: { allowedIps: string[]; endpoint?: number[]; presharedKey?: string; persistentKeepaliveSeconds?: number },
): PeerState {
  return {
    publicKey: parseKey(key, ''),
    presharedKey: state.presharedKey === undefined ? new Uint8Array(32) : parseKey(state.presharedKey, ''),
    endpoint: state.endpoint === undefined ? undefined : Endpoint.from(Uint8Array.from(state.endpoint), 1),
    persistentKeepaliveSeconds: state.persistentKeepaliveSeconds ?? 0,
    rxBytes: 0,
    txBytes: 0,
    lastHandshakeUnixMs: 0,
    allowedIps: state.allowedIps.map((text) => parseIpPrefix(text)!),
  };
}
