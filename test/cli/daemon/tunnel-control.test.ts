import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { TunnelControl } from '../../../src/cli/daemon/tunnel-control.js';
import { parseEndpoint } from '../../../src/control/endpoint-text.js';
import { SystemZoneNames } from '../../../src/control/zone-names.js';
import type { DeviceChange, PeerChange } from '../../../src/core/configuration.js';
import { Device } from '../../../src/core/device.js';
import { WireGuardError } from '../../../src/core/errors.js';
import type { PacketBatch } from '../../../src/core/packets/packet-batch.js';
import { JsAead } from '../../../src/crypto/js-aead.js';
import { NodeCrypto } from '../../../src/crypto/node-crypto.js';
import type { DatagramSocket } from '../../../src/host/datagram-socket.js';
import { Driver } from '../../../src/host/driver.js';
import { MemoryTun } from '../../../src/host/memory/tun.js';
import { nodeEnvironment } from '../../../src/host/node-environment.js';

const NOTHING: DeviceChange = { replacePeers: false, peers: [] };
const TAKEN_PORT = 99;
const FREE_PORTS = [40_001, 40_002];

/** A socket that only knows its port, its mark and whether it is open. */
class FakeSocket implements DatagramSocket {
  onReadable = () => {};
  onWritable = () => {};
  readonly stats = { sendErrors: new Map(), receiveErrors: new Map() };
  readonly port: number;
  mark: number;
  isClosed = false;

  constructor(port: number, mark: number) {
    this.port = port;
    this.mark = mark;
  }

  receive = () => 0;
  send = (batch: PacketBatch) => batch.count;
  setMark(mark: number): void {
    if (mark === 666) throw new WireGuardError('ERR_SOCKET_MARK', 'refused');
    this.mark = mark;
  }
  close(): void {
    this.isClosed = true;
  }
}

describe('control of a tunnel', () => {
  let sockets: FakeSocket[];
  let device: Device;
  let control: TunnelControl;

  beforeEach(() => {
    const free = [...FREE_PORTS];
    sockets = [];
    const openSocket = (port: number, mark: number) => {
      if (port === TAKEN_PORT) throw new WireGuardError('ERR_PORT_IN_USE', 'taken');
      sockets.push(new FakeSocket(port === 0 ? free.shift()! : port, mark));
      return sockets[sockets.length - 1];
    };
    const aead = new JsAead();
    device = new Device({ crypto: new NodeCrypto(), environment: nodeEnvironment, aead });
    const driver = new Driver({ device, aead, socket: openSocket(0, 0), tun: new MemoryTun('wg0') });
    control = new TunnelControl({ device, driver, openSocket });
  });

  it('tells what it was given, peers in the order in which they came', () => {
    const privateKey = new Uint8Array(32).fill(0x48);
    control.apply({ privateKey, listenPort: 7, fwmark: 9, replacePeers: false, peers: [peer(3), peer(1), peer(2)] });

    const { state } = control;
    assert.deepEqual([state.listenPort, state.fwmark], [7, 9]);
    assert.deepEqual(state.privateKey, privateKey);
    assert.deepEqual(
      [...state.peers].map(({ publicKey }) => publicKey[0]),
      [3, 1, 2],
    );
  });

  it('opens the new port before it closes the old one', () => {
    control.apply({ ...NOTHING, listenPort: 7 });
    assert.deepEqual(
      sockets.map(({ port, isClosed }) => [port, isClosed]),
      [
        [FREE_PORTS[0], true],
        [7, false],
      ],
    );
  });

  it('keeps the socket and changes nothing at all when the new port is taken', () => {
    assert.throws(() => control.apply({ ...NOTHING, listenPort: TAKEN_PORT, fwmark: 5, peers: [peer(1)] }), {
      code: 'ERR_PORT_IN_USE',
    });
    assert.equal(sockets[0].isClosed, false);
    assert.deepEqual([control.state.listenPort, control.state.fwmark, device.peerCount], [FREE_PORTS[0], 0, 0]);
  });

  it('changes nothing at all when the mark is refused', () => {
    assert.throws(() => control.apply({ ...NOTHING, fwmark: 666, peers: [peer(1)] }), { code: 'ERR_SOCKET_MARK' });
    assert.deepEqual([control.state.fwmark, device.peerCount], [0, 0]);
  });

  it('keeps the socket when it has the port already', () => {
    control.apply({ ...NOTHING, listenPort: FREE_PORTS[0] });
    assert.equal(sockets.length, 1);
  });

  it('takes another free port each time that it is asked for any', () => {
    control.apply({ ...NOTHING, listenPort: 0 });
    assert.equal(control.state.listenPort, FREE_PORTS[1]);
  });

  it('carries the mark over to a new socket', () => {
    control.apply({ ...NOTHING, fwmark: 5 });
    control.apply({ ...NOTHING, listenPort: 7 });
    assert.deepEqual([sockets[0].mark, sockets[1].mark], [5, 5]);
  });

  it('lets the system choose the source addresses again when socket or mark change', () => {
    for (const change of [{ listenPort: 7 }, { fwmark: 5 }]) {
      const endpoint = parseEndpoint('192.0.2.1:1', new SystemZoneNames())!;
      control.apply({ ...NOTHING, peers: [{ ...peer(1), endpoint }] });
      const [{ endpoint: remembered }] = device.peers;
      remembered!.words[6] = 3; // came in by interface 3
      assert.equal(remembered!.hasSource, true);

      control.apply({ ...NOTHING, ...change });
      assert.equal(remembered!.hasSource, false);
    }
  });
});

function peer(number: number): PeerChange {
  const publicKey = new Uint8Array(32).fill(number);
  return { publicKey, isRemoval: false, isUpdateOnly: false, replaceAllowedIps: false, allowedIps: [] };
}
