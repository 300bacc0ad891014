import assert from 'node:assert/strict';
import { describe } from 'node:test';
import type { Nat, NatDependence, NatOptions } from '../../src/sim/nat.js';
import type { Simulation } from '../../src/sim/simulation.js';
import { SocketAddress } from '../../src/sim/socket-address.js';
import { B_OUTER, type Couple, makeCouple, packetFromA, packetFromB, receivedTexts } from './couple.js';
import { scenario } from './scenario.js';

const NAT_OUTER = '198.51.100.1';
const NAT_TIMEOUT_MS = 30_000;

describe('Behind a NAT', () => {
  for (const mapping of DEPENDENCES()) {
    for (const filtering of DEPENDENCES()) {
      scenario(`with ${mapping} mapping and ${filtering} filtering, the session works both ways`, (world) => {
        const { a, b } = makeNattedCouple(world, { mapping, filtering });
        a.sendPacket(packetFromA('out'));
        world.advance(1_000);
        b.sendPacket(packetFromB('in'));
        world.advance(1_000);
        assert.deepEqual([receivedTexts(b), receivedTexts(a)], [['out'], ['in']]);
      });
    }
  }

  scenario('persistent keepalive keeps the way in open for hours (§6.5)', (world) => {
    const { a, b } = makeNattedCouple(world, { keepaliveSeconds: 25 });
    world.advance(1_000);
    for (let hour = 0; hour < 5; hour++) {
      world.advance(3_600_000);
      b.sendPacket(packetFromB(`${hour}`));
      world.advance(1_000);
    }
    assert.deepEqual(receivedTexts(a), ['0', '1', '2', '3', '4']);
  });

  scenario('without it the way in closes, and the first packet out opens it again (§6.5)', (world) => {
    const { a, b } = makeNattedCouple(world, {});
    a.sendPacket(packetFromA('out'));
    world.advance(10 * NAT_TIMEOUT_MS);
    b.sendPacket(packetFromB('refused'));
    world.advance(100_000);
    assert.deepEqual(receivedTexts(a), []);

    a.sendPacket(packetFromA('out again'));
    b.sendPacket(packetFromB('waits'));
    world.advance(20_000);
    assert.deepEqual([receivedTexts(b), receivedTexts(a)], [['out', 'out again'], ['waits']]);
  });

  for (const [what, disturb] of [
    ['is rebooted and forgets all mappings', (nat: Nat) => nat.reboot()],
    ['gets another address', (nat: Nat) => nat.renumber('198.51.100.77')],
  ] as const) {
    scenario(`when the NAT ${what}, the next keepalive brings the peer back (§2.1, §6.5)`, (world) => {
      const { a, b, nat, aOfB } = makeNattedCouple(world, {
        keepaliveSeconds: 20,
        mapping: 'address-and-port-dependent',
      });
      world.advance(60_000);
      const before = String(SocketAddress.fromRecord(aOfB.endpoint!.bytes, 0));
      disturb(nat);
      world.advance(20_000);
      assert.notEqual(String(SocketAddress.fromRecord(aOfB.endpoint!.bytes, 0)), before);
      b.sendPacket(packetFromB('found'));
      world.advance(1_000);
      assert.deepEqual(receivedTexts(a), ['found']);
    });
  }

  scenario('a mapping that changes under traffic costs no session and no packet from inside (§2.1)', (world) => {
    const { a, b, nat } = makeNattedCouple(world, { mapping: 'address-and-port-dependent' });
    for (let i = 0; i < 100; i++) {
      if (i % 10 === 9) nat.reboot();
      a.sendPacket(packetFromA(`${i}`));
      world.advance(500);
    }
    assert.equal(b.received.length, 100);
    assert.equal(world.network.eve.seen('initiation').length, 1);
  });

  scenario(
    'both peers behind NATs reach each other when each knows where the other is, by sending at once',
    (world) => {
      const inner = world.addNat('198.51.100.2', natOptions({}));
      const b = world.addNode('b', world.addHost('b', ['10.2.2.2'], inner.inside));
      const couple = makeNattedCouple(world, { keepaliveSeconds: 20 }, b, new SocketAddress('198.51.100.2', 51_820));
      couple.b.setPeer(couple.aPublic, {
        endpoint: new SocketAddress(NAT_OUTER, 51_820),
        persistentKeepaliveSeconds: 20,
      });
      world.advance(30_000);
      couple.a.sendPacket(packetFromA('through both'));
      couple.b.sendPacket(packetFromB('and back'));
      world.advance(10_000);
      assert.deepEqual([receivedTexts(couple.b), receivedTexts(couple.a)], [['through both'], ['and back']]);
    },
  );

  scenario('two peers behind one NAT, with the same port, are told apart', (world) => {
    const { nat, inside } = world.addNat(NAT_OUTER, natOptions({}));
    const server = world.addNode('server', world.addHost('server', [B_OUTER]));
    server.setPrivateKey(world.random.bytes(32));
    server.setLinkUp(true);
    const clients = ['10.1.1.2', '10.1.1.3'].map((address, i) => {
      const client = world.addNode(address, world.addHost(address, [address], inside));
      client.setPrivateKey(world.random.bytes(32));
      client.setPeer(server.device.publicKey!, { endpoint: server.address(), allowedIps: ['10.0.0.2/32'] });
      server.setPeer(client.device.publicKey!, { allowedIps: [`10.0.1.${i}/32`] });
      client.setLinkUp(true);
      client.sendPacket(packetFromA('disallowed, but authentic'));
      return client;
    });
    world.advance(1_000);
    assert.equal(nat.mappingCount, 2);
    const endpoints = clients.map(({ device }) =>
      String(SocketAddress.fromRecord(server.peer(device.publicKey!).endpoint!.bytes, 0)),
    );
    assert.equal(new Set(endpoints).size, 2);
  });
});

function DEPENDENCES(): NatDependence[] {
  return ['endpoint-independent', 'address-dependent', 'address-and-port-dependent'];
}

interface NattedOptions extends Partial<NatOptions> {
  readonly keepaliveSeconds?: number;
}

/**
 * ```text
 *   A  10.1.1.2 ── NAT 198.51.100.1 ── internet ── 192.0.2.2  B
 * ```
 */
function makeNattedCouple(
  world: Simulation,
  options: NattedOptions,
  b = world.addNode('b', world.addHost('b', [B_OUTER])),
  endpoint = b.address(),
): Couple & { nat: Nat } {
  const { nat, inside } = world.addNat(NAT_OUTER, natOptions(options));
  const a = world.addNode('a', world.addHost('a', ['10.1.1.2'], inside));
  const { keepaliveSeconds = 0 } = options;
  const couple = makeCouple(world, { a, b, aboutB: { endpoint, persistentKeepaliveSeconds: keepaliveSeconds } });
  return { ...couple, nat };
}

function natOptions(options: Partial<NatOptions>): NatOptions {
  return {
    mapping: options.mapping ?? 'endpoint-independent',
    filtering: options.filtering ?? 'address-and-port-dependent',
    timeoutMs: NAT_TIMEOUT_MS,
  };
}
