import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';

import { toDeviceChange } from '../../../src/control/change-of-text.js';
import { KernelClient } from '../../../src/control/netlink/kernel-client.js';
import { KernelWireguard } from '../../../src/control/netlink/kernel-wireguard.js';
import type { ZoneNames } from '../../../src/control/zone-names.js';
import type { PeerChange } from '../../../src/core/configuration.js';
import { arbitraryChange } from '../arbitrary-change.js';
import { FakeKernel } from './fake-kernel.js';

const ZONES: ZoneNames = { indexOf: () => undefined, nameOf: (index) => (index === 3 ? 'eth0' : undefined) };
const KEY = new Uint8Array(32).fill(7);
const OTHER_KEY = new Uint8Array(32).fill(9);
const NAME = 'wg0';

describe('the kernel', () => {
  it('receives every change whole, in messages of valid size, and reports its state', () => {
    fc.assert(
      fc.property(arbitraryChange, fc.integer({ min: 1, max: 5 }), (change, partSize) => {
        const [byMessages, byHand] = [setUp(), setUp()];
        byMessages.kernel.partSize = partSize;
        byMessages.wireguard.set(NAME, change);
        for (const peer of change.peers) byHand.wireguard.set(NAME, { replacePeers: false, peers: [peer] });

        const { peers } = byMessages.wireguard.get(NAME);

        assert.deepEqual(peers, byHand.wireguard.get(NAME).peers);
        const device = byMessages.wireguard.get(NAME);
        assert.deepEqual([device.listenPort, device.fwmark], [change.listenPort ?? 0, change.fwmark ?? 0]);
        const { privateKey } = change;
        const isNone = privateKey === undefined || privateKey.every((byte) => byte === 0);
        assert.deepEqual(device.privateKey, isNone ? undefined : Uint8Array.from(privateKey));
      }),
    );
  });

  it('gets hundreds of KiB in messages of less than 64 KiB: a peer of 10,000 allowed IPs, and 2,000 peers', () => {
    const { kernel, wireguard } = setUp();
    const ips = Array.from({ length: 10_000 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`);
    const many = Array.from({ length: 2_000 }, (_, i) => ({
      ...peerOf(
        new Uint8Array(32)
          .fill(1)
          .fill(i >> 8, 30, 31)
          .fill(i & 255, 31),
      ),
      presharedKey: new Uint8Array(32).fill(5),
      replaceAllowedIps: true,
      allowedIps: [{ address: Uint8Array.of(11, 0, i >> 8, i), prefixLength: 32, isRemoval: false }],
    }));
    const [big] = toDeviceChange(
      { replacePeers: true, peers: [{ publicKey: KEY, isRemoval: false, replaceAllowedIps: false, allowedIps: ips }] },
      ZONES,
    ).peers;

    wireguard.set(NAME, { listenPort: 5, fwmark: 16, replacePeers: true, peers: [big!, ...many] });

    assert.ok(kernel.received.length > 8 && kernel.received.every(({ length }) => length < 65_536));
    const device = wireguard.get(NAME);
    assert.deepEqual([device.listenPort, device.fwmark, device.peers.length], [5, 16, 2_001]);
    assert.deepEqual(device.peers[0]?.allowedIps, ips);
    assert.deepEqual(device.peers[2_000]?.allowedIps, ['11.0.7.207/32']);
    assert.deepEqual(device.peers[2_000]?.presharedKey, new Uint8Array(32).fill(5));
  });

  it('gets the port first and alone, so that a port in use changes nothing', () => {
    const { kernel, wireguard } = setUp();
    kernel.usedPorts.add(53);
    const change = { listenPort: 53, fwmark: 16, privateKey: KEY, replacePeers: true, peers: [peerOf(KEY)] };

    assert.throws(() => wireguard.set(NAME, change), { code: 'ERR_PORT_IN_USE', message: 'wg0: its port is in use' });

    const device = wireguard.get(NAME);
    assert.deepEqual([device.fwmark, device.privateKey, device.peers], [0, undefined, []]);
  });

  it('is quoted when it refuses, and the error says whether part of the change was made', () => {
    const { kernel, wireguard } = setUp();
    kernel.refuses = { set: 1, errno: 22, words: 'Attribute failed policy validation' };

    assert.throws(() => wireguard.set(NAME, { listenPort: 5, fwmark: 1, replacePeers: false, peers: [] }), {
      code: 'ERR_KERNEL_REFUSED',
      message: 'wg0: the kernel refuses: Attribute failed policy validation; what the change says before that is done',
      cause: 22,
    });
    kernel.refuses = { set: 2, errno: 12, words: '' };
    assert.throws(() => wireguard.set(NAME, { fwmark: 1, replacePeers: false, peers: [] }), {
      message: 'wg0: the kernel refuses: not enough memory',
    });
    kernel.refuses = { set: 3, errno: 1, words: '' };
    assert.throws(() => wireguard.set(NAME, { fwmark: 1, replacePeers: false, peers: [] }), {
      message: 'wg0: the kernel lets only root do this',
    });
  });

  for (const canRemoveAllowedIps of [true, false]) {
    const which = canRemoveAllowedIps
      ? 'that can'
      : 'before 6.16, which cannot: the peer gets the list of what it keeps';
    it(`takes single allowed IPs away, ${which}`, () => {
      const { kernel, wireguard } = setUp();
      kernel.canRemoveAllowedIps = canRemoveAllowedIps;
      const allowedIps = ['10.0.0.0/8', '10.1.0.0/16', 'fd00::/64'];
      const text = { isRemoval: false, replaceAllowedIps: true };
      const set = (...peers: Parameters<typeof toDeviceChange>[0]['peers']) =>
        wireguard.set(NAME, toDeviceChange({ replacePeers: false, peers }, ZONES));
      set({ ...text, publicKey: KEY, allowedIps }, { ...text, publicKey: OTHER_KEY, allowedIps: ['11.0.0.0/8'] });

      const change = { isRemoval: false, replaceAllowedIps: false };
      set(
        { ...change, publicKey: KEY, allowedIps: ['-10.1.2.3/16', '12.0.0.0/8', '-99.0.0.0/8', '-fd00::/64'] },
        { ...change, publicKey: OTHER_KEY, allowedIps: ['13.0.0.0/8'] },
      );

      const device = wireguard.get(NAME);
      assert.deepEqual(
        device.peers.map((peer) => peer.allowedIps),
        [
          ['10.0.0.0/8', '12.0.0.0/8'],
          ['11.0.0.0/8', '13.0.0.0/8'],
        ],
      );
    });
  }

  it('is read again when the device changed meanwhile, and no peer is listed twice', () => {
    const { kernel, wireguard } = setUp();
    wireguard.set(NAME, { replacePeers: false, peers: [peerOf(KEY), peerOf(OTHER_KEY)] });
    kernel.interruptions = 3;

    assert.deepEqual(
      wireguard.get(NAME).peers.map(({ publicKey }) => publicKey[0]),
      [7, 9],
    );

    kernel.interruptions = 1_000;
    assert.throws(() => wireguard.get(NAME), { message: 'wg0: the kernel refuses: it changes all the time' });
  });

  it('reports handshake, counters and endpoints exactly', async () => {
    const { kernel, wireguard } = setUp();
    wireguard.set(NAME, { replacePeers: false, peers: [peerOf(KEY)] });
    const peer = kernel.devices.get(NAME)!.peers.get('07'.repeat(32))!;
    peer.rxBytes = 2n ** 64n - 1n;
    peer.txBytes = 2n ** 53n + 1n;
    peer.handshake = [1_700_000_000n, 999_999_999n];
    // sockaddr_in6: family, port, flow, address, scope
    peer.endpoint = Buffer.from(`0a00ca6c00000000fe800000000000000000000000000001${'03000000'}`, 'hex');

    const [shown] = wireguard.get(NAME).peers;

    assert.deepEqual(
      [shown?.rxBytes, shown?.txBytes, shown?.lastHandshakeSeconds, shown?.lastHandshakeNanoseconds, shown?.endpoint],
      [2n ** 64n - 1n, 2n ** 53n + 1n, 1_700_000_000n, 999_999_999n, '[fe80::1%eth0]:51820'],
    );
    peer.endpoint = Buffer.from('0200ca6c0a0000010000000000000000', 'hex');
    const state = await new KernelClient(wireguard, NAME).get();
    assert.equal([...state.peers][0]?.lastHandshakeUnixMs, 1_700_000_001_000);
    assert.equal([...state.peers][0]?.endpoint?.port, 51_820);
  });

  it('lists its interfaces of WireGuard, and says what is wrong with others', () => {
    const { kernel, wireguard } = setUp();
    kernel.addDevice('office');
    assert.deepEqual(wireguard.interfaces(), ['wg0', 'office']);
    for (const [name, message] of [
      ['nope', 'nope: no daemon answers for this interface, and the kernel has none'],
      ['lo', "lo: no daemon answers for this interface, and it is not one of WireGuard's"],
    ] as const) {
      assert.throws(() => wireguard.get(name), { code: 'ERR_CONTROL_UNREACHABLE', message });
    }
    kernel.hasWireguard = false;
    assert.throws(() => wireguard.get(NAME), {
      code: 'ERR_CONTROL_UNREACHABLE',
      message: 'wg0: no daemon answers for this interface, and the kernel has no WireGuard',
      cause: 93,
    });
  });

  it('gets keys in memory that is cleared afterwards', () => {
    const { kernel, wireguard } = setUp();
    wireguard.set(NAME, {
      privateKey: KEY,
      replacePeers: false,
      peers: [{ ...peerOf(KEY), presharedKey: OTHER_KEY }],
    });
    wireguard.get(NAME);
    assert.ok(kernel.buffers.length > 4);
    for (const buffer of kernel.buffers) assert.ok(buffer.every((byte) => byte === 0));
    assert.ok(KEY.every((byte) => byte === 7));
  });

  it('has no socket of ours left open, whatever came of it', () => {
    const { kernel, wireguard } = setUp();
    wireguard.get(NAME);
    assert.throws(() => wireguard.get('nope'));
    assert.throws(() => wireguard.set('nope', { replacePeers: false, peers: [] }));
    wireguard.interfaces();
    assert.equal(kernel.openSockets, 0);
  });

  it('that refuses a socket is an error with its number', () => {
    const wireguard = new KernelWireguard(
      () => -93,
      () => ZONES,
    );
    assert.throws(() => wireguard.get(NAME), { code: 'ERR_CONTROL_UNREACHABLE', cause: 93 });
  });
});

function setUp(): { kernel: FakeKernel; wireguard: KernelWireguard } {
  const kernel = new FakeKernel();
  kernel.addDevice(NAME);
  return { kernel, wireguard: new KernelWireguard(kernel.open, () => ZONES) };
}

function peerOf(publicKey: Uint8Array): PeerChange {
  return { publicKey, isRemoval: false, isUpdateOnly: false, replaceAllowedIps: false, allowedIps: [] };
}
