/** The loop itself on virtual time: two whole tunnels, as programs run them, on a simulated network. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { JsAead } from '../../src/crypto/js-aead.js';
import { NodeCrypto } from '../../src/crypto/node-crypto.js';
import { MemoryTun } from '../../src/host/memory/tun.js';
import type { Tun } from '../../src/host/tun.js';
import { Tunnel } from '../../src/host/tunnel.js';
import { HostSocket } from '../../src/sim/host-socket.js';
import { Simulation } from '../../src/sim/simulation.js';
import { SocketAddress } from '../../src/sim/socket-address.js';
import { VirtualClock } from '../../src/sim/virtual-clock.js';
import { A_INNER, A_OUTER, B_INNER, B_OUTER, packetFromA, packetFromB } from './couple.js';
import { packetPayload } from './ip-packet.js';
import { publicKeyOf } from './plain-noise.js';

const PORT = 51_820;
const REKEY_TIMEOUT_MS = 5_000;
const KEEPALIVE_TIMEOUT_MS = 10_000;
const REJECT_AFTER_TIME_MS = 180_000;
const HANDSHAKE_INITIATION = 1;

class End {
  readonly clock: VirtualClock;
  readonly tun: MemoryTun;
  readonly received: string[] = [];
  readonly privateKey: Uint8Array;
  readonly address: string;
  socket!: HostSocket;
  tunnel!: Tunnel;
  readonly #world: Simulation;

  constructor(world: Simulation, address: string) {
    this.#world = world;
    this.address = address;
    this.clock = new VirtualClock(world.events);
    this.tun = new MemoryTun('wg0', 1_420, (callback) => this.clock.callSoon(callback));
    this.tun.onPacket = (packet) => void this.received.push(new TextDecoder().decode(packetPayload(packet)));
    this.privateKey = world.random.bytes(32);
  }

  async open(tun: Tun = this.tun): Promise<this> {
    const host = this.#world.addHost(this.address, [this.address]);
    this.tunnel = await Tunnel.create({
      crypto: new NodeCrypto(),
      aead: new JsAead(),
      tun,
      clock: this.clock,
      environment: {
        random: (out) => this.#world.random.fill(out),
        unixTimeMs: () => Date.UTC(2026, 0, 1) + this.clock.nowMs(),
      },
      openSocket: (port) => {
        this.socket = new HostSocket(host, this.clock, port === 0 ? PORT : port);
        return this.socket;
      },
    });
    await this.tunnel.apply({ privateKey: this.privateKey, replacePeers: false, peers: [] });
    return this;
  }

  async introduce(other: End, inner: string): Promise<void> {
    const address = Uint8Array.from(inner.split('.').map(Number));
    const peer = {
      publicKey: publicKeyOf(other.privateKey),
      endpoint: new SocketAddress(other.address, PORT).toEndpoint(),
      allowedIps: [{ address, prefixLength: 32, isRemoval: false }],
      isRemoval: false,
      isUpdateOnly: false,
      replaceAllowedIps: true,
    };
    await this.tunnel.apply({ replacePeers: false, peers: [peer] });
  }
}

async function open(tunOfA?: (tun: MemoryTun) => Tun): Promise<{ world: Simulation; a: End; b: End }> {
  const world = new Simulation({ seed: 7 });
  world.network.setConditions({ delayMs: 20 });
  const a = new End(world, A_OUTER);
  await a.open(tunOfA?.(a.tun));
  const b = await new End(world, B_OUTER).open();
  await a.introduce(b, B_INNER);
  await b.introduce(a, A_INNER);
  return { world, a, b };
}

/** Types of the messages that left an address since the record was cleared. */
function typesFrom({ network }: Simulation, address: string): number[] {
  const datagrams = network.eve.observations.map(({ datagram }) => datagram);
  return datagrams.filter(({ from }) => from.address === address).map(({ bytes }) => bytes[0]);
}

describe('the loop on virtual time', () => {
  it('carries packets both ways, in one round trip more than the first packet needs', async () => {
    const { world, a, b } = await open();
    a.tun.inject(packetFromA('ping'));
    world.advance(61);
    assert.deepEqual(b.received, ['ping']);
    b.tun.inject(packetFromB('pong'));
    world.advance(20);
    assert.deepEqual(a.received, ['pong']);
  });

  it('sleeps between deadlines, and sends again what nobody answered', async () => {
    const { world, a } = await open();
    world.network.setConditions({ lossRate: 1 });
    a.tun.inject(packetFromA('ping'));
    world.advance(4 * REKEY_TIMEOUT_MS - 1);
    assert.deepEqual(typesFrom(world, A_OUTER), new Array(4).fill(HANDSHAKE_INITIATION));
  });

  it('sends a keepalive when nothing goes back', async () => {
    const { world, a, b } = await open();
    a.tun.inject(packetFromA('ping'));
    world.advance(100);
    world.network.eve.clear();
    a.tun.inject(packetFromA('one more'));
    world.advance(KEEPALIVE_TIMEOUT_MS + 100);
    assert.equal(typesFrom(world, B_OUTER).length, 1);
    assert.deepEqual(b.received, ['ping', 'one more']);
  });

  describe('with a socket that has no room', () => {
    it('keeps the packets that waited for the session, and sends each of them once', async () => {
      const { world, a, b } = await open();
      const texts = Array.from({ length: 40 }, (_, i) => `packet ${i}`);
      for (const text of texts) a.tun.inject(packetFromA(text));
      world.advance(30); // the initiation has arrived, the response is under way
      a.socket.room = 3;
      for (let i = 0; i < 30; i++) {
        world.advance(10);
        a.socket.room = 3;
        a.socket.onWritable();
      }
      world.advance(100);
      assert.deepEqual(b.received, texts);
    });

    it('sends the initiation as soon as there is room, not REKEY_TIMEOUT later', async () => {
      const { world, a, b } = await open();
      a.socket.room = 0;
      a.tun.inject(packetFromA('ping'));
      world.advance(1_000);
      assert.deepEqual(typesFrom(world, A_OUTER), []);
      a.socket.room = Infinity;
      a.socket.onWritable();
      world.advance(100);
      assert.deepEqual(b.received, ['ping']);
    });

    it('reads nothing from the TUN until the messages of the device have left', async () => {
      const { world, a, b } = await open();
      a.socket.room = 0;
      a.tun.inject(packetFromA('first'));
      world.advance(10);
      a.tun.inject(packetFromA('second'));
      world.advance(10);
      a.socket.room = Infinity;
      a.socket.onWritable();
      world.advance(200);
      assert.deepEqual(b.received, ['first', 'second']);
    });

    it('gives up messages that waited for REKEY_TIMEOUT, and timers go on', async () => {
      const { world, a } = await open();
      a.socket.room = 0;
      a.tun.inject(packetFromA('ping'));
      world.advance(REKEY_TIMEOUT_MS + 1_000);
      world.network.eve.clear();
      a.socket.room = Infinity;
      a.socket.onWritable();
      world.advance(2 * REKEY_TIMEOUT_MS);
      assert.ok(typesFrom(world, A_OUTER).includes(HANDSHAKE_INITIATION));
      world.advance(3 * REJECT_AFTER_TIME_MS);
    });

    it('drains into a new socket what the old one had no room for', async () => {
      const { world, a, b } = await open();
      a.socket.room = 0;
      a.tun.inject(packetFromA('ping'));
      world.advance(10);
      await a.tunnel.apply({ listenPort: PORT + 1, replacePeers: false, peers: [] });
      world.advance(200);
      assert.deepEqual(b.received, ['ping']);
    });
  });

  it('wipes the sessions when the machine has slept for more than a minute, and makes new ones', async () => {
    const { world, a, b } = await open();
    a.tun.inject(packetFromA('before'));
    world.advance(100);
    a.clock.suspensions++;
    world.network.eve.clear();
    a.tun.inject(packetFromA('after'));
    world.advance(1);
    a.tun.inject(packetFromA('once more'));
    world.advance(100);
    assert.equal(typesFrom(world, A_OUTER)[0], HANDSHAKE_INITIATION);
    assert.equal(b.received.at(-1), 'once more');
  });

  it('reports events to readers from the moment at which they begin to read', async () => {
    const { world, a } = await open();
    a.tun.inject(packetFromA('ping'));
    world.advance(100);
    const seen: string[] = [];
    const reading = (async () => {
      for await (const { kind, peer } of a.tunnel.events) seen.push(`${kind} ${[...(peer?.publicKey ?? [])].length}`);
    })();
    await nextTurn();
    a.clock.suspensions++;
    a.tun.inject(packetFromA('again'));
    world.advance(100);
    a.tun.inject(packetFromA('and again'));
    world.advance(100);
    await nextTurn();
    a.tunnel.close();
    await reading;
    assert.deepEqual(seen.slice(0, 2), ['session-ended 32', 'handshake 32']);
  });

  it('runs the timers of a TUN that has some', async () => {
    const due: number[] = [];
    let deadline = 1_000;
    const { world, a, b } = await open((tun) =>
      Object.assign(tun, {
        nextDeadline: () => deadline,
        runDue: (nowMs: number) => {
          if (nowMs < deadline) return;
          due.push(nowMs);
          deadline = due.length < 3 ? nowMs + 500 : Infinity;
          tun.inject(packetFromA(`timer ${due.length}`));
        },
      }),
    );
    world.advance(10_000);
    assert.deepEqual(due, [1_000, 1_500, 2_000]);
    assert.deepEqual(b.received, ['timer 1', 'timer 2', 'timer 3']);
    a.tunnel.close();
  });
});
