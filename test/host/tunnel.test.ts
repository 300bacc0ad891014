import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parseEndpoint } from '../../src/control/endpoint-text.js';
import { SystemZoneNames } from '../../src/control/zone-names.js';
import type { DeviceChange, PeerChange } from '../../src/core/configuration.js';
import { WireGuardError } from '../../src/core/errors.js';
import type { Crypto } from '../../src/core/ports.js';
import { JsAead } from '../../src/crypto/js-aead.js';
import { NodeCrypto } from '../../src/crypto/node-crypto.js';
import { MemoryTun } from '../../src/host/memory/tun.js';
import { Tunnel, type TunnelOptions } from '../../src/host/tunnel.js';
import { FakeSocket, REFUSED_MARK } from './fake-socket.js';

const NOTHING: DeviceChange = { replacePeers: false, peers: [] };
const PRIVATE_KEY = new Uint8Array(32).fill(0x48);
const TAKEN_PORT = 99;
const SLOW_PORT = 98;
const FREE_PORTS = [40_001, 40_002];

describe('Tunnel', () => {
  let sockets: FakeSocket[];
  let tun: MemoryTun;
  let tunnel: Tunnel;
  let openSlowly: () => void;

  beforeEach(async () => {
    tunnel = await create();
  });

  async function create(options: Partial<TunnelOptions> = {}): Promise<Tunnel> {
    const free = [...FREE_PORTS];
    sockets = [];
    tun = new MemoryTun('wg0');
    const openSocket = async (port: number, mark: number) => {
      if (port === TAKEN_PORT) throw new WireGuardError('ERR_PORT_IN_USE', 'taken');
      if (port === SLOW_PORT)
        await new Promise<void>((resolve) => {
          openSlowly = resolve;
        });
      const socket = new FakeSocket(port === 0 ? free.shift()! : port, mark);
      sockets.push(socket);
      return socket;
    };
    return await Tunnel.create({ crypto: new NodeCrypto(), aead: new JsAead(), tun, openSocket, ...options });
  }

  function peerCount(): number {
    return [...tunnel.state.peers].length;
  }

  it('has the state that it was given, peers in the order in which they came', async () => {
    await tunnel.apply({
      privateKey: PRIVATE_KEY,
      listenPort: 7,
      fwmark: 9,
      replacePeers: false,
      peers: [peer(3), peer(1), peer(2)],
    });

    const { state } = tunnel;
    assert.deepEqual([state.listenPort, state.fwmark], [7, 9]);
    assert.deepEqual(state.privateKey, PRIVATE_KEY);
    assert.deepEqual(
      [...state.peers].map(({ publicKey }) => publicKey[0]),
      [3, 1, 2],
    );
  });

  it('opens the new port before it closes the old one', async () => {
    const changed = tunnel.apply({ ...NOTHING, listenPort: SLOW_PORT });
    await nextTurn();
    assert.deepEqual([tunnel.state.listenPort, sockets[0].isClosed], [FREE_PORTS[0], false]);

    openSlowly();
    await changed;
    assert.deepEqual(
      sockets.map(({ port, isClosed }) => [port, isClosed]),
      [
        [FREE_PORTS[0], true],
        [SLOW_PORT, false],
      ],
    );
  });

  it('keeps the socket and changes nothing at all when the new port is taken', async () => {
    await assert.rejects(tunnel.apply({ ...NOTHING, listenPort: TAKEN_PORT, fwmark: 5, peers: [peer(1)] }), {
      code: 'ERR_PORT_IN_USE',
    });
    assert.deepEqual([sockets[0].isClosed, sockets[0].mark], [false, 0]);
    assert.deepEqual([tunnel.state.listenPort, tunnel.state.fwmark, peerCount()], [FREE_PORTS[0], 0, 0]);
  });

  it('changes nothing at all when the mark is refused, and takes it back where it was set', async () => {
    await tunnel.apply({ ...NOTHING, fwmark: 5 });
    await assert.rejects(tunnel.apply({ ...NOTHING, fwmark: REFUSED_MARK, peers: [peer(1)] }), {
      code: 'ERR_SOCKET_MARK',
    });
    assert.deepEqual([tunnel.state.fwmark, sockets[0].mark, peerCount()], [5, 5, 0]);
  });

  it('closes the new socket, and takes the mark back, when the device cannot apply the change', async () => {
    const crypto: Crypto = new NodeCrypto();
    crypto.x25519PublicKey = () => {
      throw new Error('no such curve');
    };
    tunnel = await create({ crypto });
    for (const change of [{ listenPort: 7 }, { fwmark: 5 }])
      await assert.rejects(tunnel.apply({ ...NOTHING, ...change, privateKey: PRIVATE_KEY }), /no such curve/);

    assert.deepEqual(
      sockets.map(({ port, mark, isClosed }) => [port, mark, isClosed]),
      [
        [FREE_PORTS[0], 0, false],
        [7, 0, true],
      ],
    );
    assert.deepEqual([tunnel.state.listenPort, tunnel.state.fwmark], [FREE_PORTS[0], 0]);
  });

  it('keeps the socket when it has the port already', async () => {
    await tunnel.apply({ ...NOTHING, listenPort: FREE_PORTS[0] });
    assert.equal(sockets.length, 1);
  });

  it('takes another free port each time that any port will do', async () => {
    await tunnel.apply({ ...NOTHING, listenPort: 0 });
    assert.equal(tunnel.state.listenPort, FREE_PORTS[1]);
  });

  it('carries the mark over to a new socket', async () => {
    await tunnel.apply({ ...NOTHING, fwmark: 5 });
    await tunnel.apply({ ...NOTHING, listenPort: 7 });
    assert.deepEqual([sockets[0].mark, sockets[1].mark], [5, 5]);
  });

  it('has the system choose the source addresses again when socket or mark change', async () => {
    for (const change of [{ listenPort: 7 }, { fwmark: 5 }]) {
      const endpoint = parseEndpoint('192.0.2.1:1', new SystemZoneNames())!;
      await tunnel.apply({ ...NOTHING, peers: [{ ...peer(1), endpoint }] });
      const [{ endpoint: remembered }] = tunnel.state.peers;
      remembered!.words[6] = 3; // came in by interface 3
      assert.equal(remembered!.hasSource, true);

      await tunnel.apply({ ...NOTHING, ...change });
      assert.equal(remembered!.hasSource, false);
    }
  });

  it('makes changes and readings one after the other, in the order in which they were asked for', async () => {
    const order: string[] = [];
    const note = (what: string) => () => void order.push(`${what}: ${peerCount()} peers`);
    await Promise.all([
      tunnel.apply({ ...NOTHING, listenPort: SLOW_PORT, peers: [peer(1)] }).then(note('first change')),
      tunnel.read(async ({ peers }) => {
        order.push(`reading begins: ${[...peers].length} peers`);
        await nextTurn();
        note('reading ends')();
      }),
      tunnel.apply({ ...NOTHING, listenPort: TAKEN_PORT }).catch(note('refused change')),
      tunnel.apply({ ...NOTHING, peers: [peer(2)] }).then(note('last change')),
      nextTurn().then(() => openSlowly()),
    ]);

    assert.deepEqual(order, [
      'first change: 1 peers',
      'reading begins: 1 peers',
      'reading ends: 1 peers',
      'refused change: 1 peers',
      'last change: 2 peers',
    ]);
  });

  it('refuses changes once it is closed, and leaves no socket open that was being opened', async () => {
    const changed = tunnel.apply({ ...NOTHING, listenPort: SLOW_PORT });
    await nextTurn();
    tunnel.close();
    openSlowly();

    await assert.rejects(changed, { code: 'ERR_CLOSED' });
    await assert.rejects(tunnel.apply(NOTHING), { code: 'ERR_CLOSED' });
    assert.deepEqual(
      sockets.map(({ isClosed }) => isClosed),
      [true, true],
    );
  });

  it('closes the TUN when there is no socket to be had', async () => {
    let isClosed = false;
    const lost = new MemoryTun('wg0');
    lost.close = () => {
      isClosed = true;
    };
    const openSocket = () => Promise.reject(new WireGuardError('ERR_SOCKET_REFUSED', 'no'));
    await assert.rejects(create({ tun: lost, openSocket }), { code: 'ERR_SOCKET_REFUSED' });
    assert.ok(isClosed);
  });

  it('is up only while the TUN is up and nobody has stopped it', async () => {
    await tunnel.apply({ ...NOTHING, privateKey: PRIVATE_KEY, peers: [peer(1)] });
    const isUp = () => [...tunnel.explain().peers][0].reason.code !== 'link-down';
    assert.equal(isUp(), true);
    tunnel.setLinkUp(false);
    assert.equal(isUp(), false);
    tun.isUp = false;
    tunnel.setLinkUp(true);
    assert.equal(isUp(), false);
    tun.isUp = true;
    assert.equal(isUp(), true);
  });
});

function peer(number: number): PeerChange {
  const publicKey = new Uint8Array(32).fill(number);
  return { publicKey, isRemoval: false, isUpdateOnly: false, replaceAllowedIps: false, allowedIps: [] };
}
