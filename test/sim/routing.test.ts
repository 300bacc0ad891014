import assert from 'node:assert/strict';
import { describe } from 'node:test';

import { Verdict } from '../../src/core/packets/verdict.js';
import type { Datagram } from '../../src/sim/datagram.js';
import type { Simulation } from '../../src/sim/simulation.js';
import { SocketAddress } from '../../src/sim/socket-address.js';
import type { TunnelNode } from '../../src/sim/tunnel-node.js';
import {
  A_INNER,
  A_INNER6,
  A_OUTER,
  B_INNER,
  B_INNER6,
  B_OUTER,
  makeConnectedCouple,
  makeCouple,
  packetFromA,
  receivedTexts,
  textPacket,
} from './couple.js';
import { internetChecksum, ipPacket, packetPayload, udpPacket } from './ip-packet.js';
import { publicKeyOf } from './plain-noise.js';
import { scenario } from './scenario.js';

describe('Cryptokey routing', () => {
  scenario('sends a packet to the peer with the longest matching prefix (§2)', (world) => {
    const { hub, spokes } = makeStar(world, [
      ['10.0.0.0/8', 'fd00::/16'],
      ['10.1.0.0/16', 'fd00:1::/32'],
      ['10.1.1.1/32', 'fd00:1::1/128'],
    ]);
    for (const [destination, expected] of [
      ['10.2.3.4', 0],
      ['10.1.2.3', 1],
      ['10.1.1.2', 1],
      ['10.1.1.1', 2],
      ['fd00:2::1', 0],
      ['fd00:1::2', 1],
      ['fd00:1::1', 2],
    ] as const) {
      const source = destination.includes(':') ? 'fd99::1' : '10.99.0.1';
      hub.sendPacket(textPacket(source, destination, destination));
      world.advance(0);
      for (const [i, spoke] of spokes.entries())
        assert.equal(receivedTexts(spoke).at(-1) === destination, i === expected, `${destination} at spoke ${i}`);
    }
  });

  scenario('accepts a source from its owner only, though a wider prefix of the sender contains it (§2)', (world) => {
    const { hub, spokes } = makeStar(world, [['10.0.0.0/8', 'fd00::/16'], ['10.1.0.0/16', 'fd00:1::/32'], []]);
    for (const [spoke, source, isAccepted] of [
      [0, '10.2.0.1', true],
      [0, '10.1.0.1', false],
      [1, '10.1.0.1', true],
      [1, '10.2.0.1', false],
      [2, '10.3.0.1', false],
      [0, 'fd00:2::1', true],
      [0, 'fd00:1::1', false],
      [1, 'fd00:1::1', true],
      [1, '192.0.2.1', false],
    ] as const) {
      hub.received.length = 0;
      spokes[spoke]!.sendPacket(textPacket(source, source.includes(':') ? 'fd99::1' : '10.99.0.1', 'x'));
      world.advance(0);
      assert.equal(hub.received.length, Number(isAccepted), `${source} from spoke ${spoke}`);
    }
    assert.equal(hub.device.counters.verdicts[Verdict.DisallowedSource], 5);
  });

  scenario('looks at the source of what comes in, not at its destination (§2)', (world) => {
    const { a, b } = makeConnectedCouple(world);
    // Both have B's addresses as destination or source the wrong way round.
    b.sendPacket(textPacket(A_INNER, A_INNER, 'forged'));
    b.sendPacket(textPacket(A_INNER6, A_INNER6, 'forged'));
    world.advance(0);
    assert.equal(a.received.length, 0);
    assert.equal(a.device.counters.verdicts[Verdict.DisallowedSource], 2);

    b.sendPacket(textPacket(B_INNER6, A_INNER6, 'right'));
    world.advance(0);
    assert.deepEqual(receivedTexts(a), ['right']);
  });

  scenario('moves a prefix to the peer that was given it last (§2)', (world) => {
    const { hub, spokes } = makeStar(world, [['10.1.0.0/16'], []]);
    hub.setPeer(spokes[1]!.device.publicKey!, { allowedIps: ['10.1.0.0/16'] });
    assert.deepEqual([...hub.peer(spokes[0]!.device.publicKey!).allowedIps], []);

    hub.sendPacket(textPacket('10.99.0.1', '10.1.0.1', 'moved'));
    spokes[0]!.sendPacket(textPacket('10.1.0.1', '10.99.0.1', 'too late'));
    spokes[1]!.sendPacket(textPacket('10.1.0.1', '10.99.0.1', 'mine'));
    world.advance(0);
    assert.deepEqual([receivedTexts(spokes[1]!), receivedTexts(hub)], [['moved'], ['mine']]);
  });

  scenario('judges by the table as it is when a packet comes, also under an old session (§2)', (world) => {
    const { a, b, aOfB, aPublic } = makeConnectedCouple(world);
    b.setPeer(aPublic, { allowedIps: [] });
    a.sendPacket(packetFromA('disallowed'));
    world.advance(0);
    assert.deepEqual([b.received.length, aOfB.counters.verdicts[Verdict.DisallowedSource]], [0, 1]);
  });
});

describe('A packet that cannot be delivered', () => {
  for (const [source, destination, type, code, protocol] of [
    [A_INNER, '10.55.0.1', 3, 1, 1],
    [A_INNER6, 'fd55::1', 1, 3, 58],
  ] as const) {
    const family = source.includes(':') ? 'ICMPv6' : 'ICMP';
    for (const why of ['no peer', 'no endpoint'] as const) {
      scenario(
        `for want of ${why === 'no peer' ? 'a peer' : 'an endpoint'} is answered by ${family} unreachable (kernel)`,
        (world) => {
          const { a, bPublic } = makeCouple(world, { knowsEndpoint: false });
          if (why === 'no endpoint') a.setPeer(bPublic, { allowedIps: [`${destination}/24`] });
          const packet = textPacket(source, destination, 'undeliverable');
          a.sendPacket(packet);

          assert.equal(a.replies.length, 1);
          const reply = a.replies[0]!;
          const message = packetPayload(reply);
          assert.deepEqual([message[0], message[1], reply[family === 'ICMP' ? 9 : 6]], [type, code, protocol]);
          assert.deepEqual(message.slice(8, 8 + packet.length), packet);
          if (family === 'ICMP') assert.equal(internetChecksum(message), 0);
          assert.equal(world.network.eve.totalDatagrams, 0);
          const verdict = why === 'no peer' ? Verdict.NoPeer : Verdict.NoEndpoint;
          assert.equal(a.device.counters.verdicts[verdict], 1);
        },
      );
    }
  }

  scenario('is not answered without bound: at most a thousand answers a second', (world) => {
    const { a } = makeCouple(world);
    const packets = Array.from({ length: 1_500 }, () => textPacket(A_INNER, '10.55.0.1', 'x'));
    a.sendPackets(packets);
    assert.ok(a.replies.length > 0 && a.replies.length <= 1_000, `${a.replies.length}`);
    world.advance(1_000);
    a.sendPacket(packets[0]!);
    assert.ok(a.replies.length > 0);
    assert.equal(a.device.counters.verdicts[Verdict.NoPeer], 1_501);
  });

  scenario('is not answered when it is itself an ICMP error, or goes to many (RFC 1122 §3.2.2)', (world) => {
    const { a } = makeCouple(world);
    const error = Uint8Array.of(3, 1, 0, 0, 0, 0, 0, 0, 0x45);
    a.sendPacket(ipPacket({ source: A_INNER, destination: '10.55.0.1', payload: error, protocol: 1 }));
    a.sendPacket(textPacket(A_INNER, '224.0.0.1', 'multicast'));
    a.sendPacket(textPacket(A_INNER6, 'ff02::1', 'multicast'));
    assert.deepEqual(a.replies, []);
  });
});

describe('A routing loop', () => {
  scenario('of the outer flow into the own tunnel is dropped and counted: nothing grows', (world) => {
    const { a, b, bPublic } = makeConnectedCouple(world);
    a.setPeer(bPublic, { allowedIps: ['0.0.0.0/0'] });
    const counted = intoOwnTunnel(world, a, ({ to }) => to.address === B_OUTER);
    for (let i = 0; i < 10; i++) {
      a.sendPacket(packetFromA('ping'));
      world.advance(1_000);
    }
    world.advance(120_000);
    assert.deepEqual(b.received, []);
    assert.ok(a.device.counters.verdicts[Verdict.RoutingLoop]! >= 10);
    assert.ok(counted.count < 60, `${counted.count} datagrams went round`);
  });

  scenario('over two peers, each inside the other’s tunnel, ends as well', (world) => {
    const { hub, spokes } = makeStar(
      world,
      [
        ['192.0.2.12/32', '10.1.0.0/16'],
        ['192.0.2.11/32', '10.2.0.0/16'],
      ],
      {
        isHubFirst: true,
      },
    );
    assert.equal(spokes.length, 2);
    const counted = intoOwnTunnel(world, hub, ({ to }) => to.address.startsWith('192.0.2.1'));
    for (let i = 0; i < 10; i++) {
      hub.sendPacket(textPacket('10.99.0.1', '10.1.0.1', 'ping'));
      hub.sendPacket(textPacket('10.99.0.1', '10.2.0.1', 'ping'));
      world.advance(100);
    }
    world.advance(60_000);
    assert.ok(hub.device.counters.verdicts[Verdict.RoutingLoop]! > 0);
    assert.ok(counted.count < 200, `${counted.count} datagrams went round`);
    assert.ok(world.network.eve.totalBytes < 50_000, `${world.network.eve.totalBytes} bytes`);
  });

  scenario('is not what a tunnel inside a tunnel is: onion routing works over one device', (world) => {
    // node ── tunnel to relay (10.1/16, 192.0.2.12) ── relay forwards ── 192.0.2.12 exit (10.2/16)
    const { hub, spokes } = makeStar(world, [['10.1.0.0/16', '192.0.2.12/32'], ['10.2.0.0/16']], { isHubFirst: true });
    const [relay, exit] = spokes as [TunnelNode, TunnelNode];
    const counted = intoOwnTunnel(world, hub, ({ to }) => to.address === '192.0.2.12');
    relay.onPacket = (packet) => forwardUdp(world, packet);
    for (let i = 0; i < 5; i++) {
      hub.sendPacket(textPacket('10.99.0.1', '10.2.0.1', `${i}`));
      world.advance(1_000);
    }
    assert.deepEqual(receivedTexts(exit), ['0', '1', '2', '3', '4']);
    assert.equal(hub.device.counters.verdicts[Verdict.RoutingLoop], 0);
    assert.ok(counted.count >= 6, 'an initiation and five packets went through the relay');
  });

  scenario('is not what other programs send from the same port number elsewhere', (world) => {
    const { a, b } = makeConnectedCouple(world);
    const payload = world.random.bytes(40);
    payload.fill(0, 0, 4);
    payload[0] = 4;
    const packet = udpPacket({
      source: A_INNER,
      sourcePort: a.port,
      destination: B_INNER,
      destinationPort: 51_820,
      payload,
    });
    a.sendPacket(packet);
    world.advance(0);
    assert.deepEqual(b.received, [packet], 'WireGuard inside WireGuard, of another device');
  });
});

interface Star {
  readonly hub: TunnelNode;
  readonly spokes: TunnelNode[];
}

/** A hub at 192.0.2.1 and spokes at 192.0.2.11, .12 …, each with the allowed IPs that the hub gives it. */
function makeStar(world: Simulation, allowedIps: readonly string[][], { isHubFirst = false } = {}): Star {
  const hub = world.addNode('hub', world.addHost('hub', [A_OUTER]));
  const hubPrivate = world.random.bytes(32);
  hub.setPrivateKey(hubPrivate);
  hub.setLinkUp(true);
  const spokes = allowedIps.map((prefixes, i) => {
    const address = `192.0.2.${11 + i}`;
    const spoke = world.addNode(`spoke ${i}`, world.addHost(`spoke ${i}`, [address]));
    spoke.setPrivateKey(world.random.bytes(32));
    spoke.setPeer(publicKeyOf(hubPrivate), {
      endpoint: hub.address(),
      allowedIps: ['0.0.0.0/0', '::/0'],
    });
    hub.setPeer(spoke.device.publicKey!, { allowedIps: prefixes, endpoint: spoke.address() });
    spoke.setLinkUp(true);
    if (!isHubFirst) spoke.sendPacket(textPacket('10.254.0.1', '10.254.0.2', 'disallowed, but authentic'));
    return spoke;
  });
  world.advance(1_000);
  hub.device.counters.verdicts.fill(0);
  return { hub, spokes };
}

/** Routes outer datagrams of a node into its own tunnel, as a wrong (or a right) route does. */
function intoOwnTunnel(
  world: Simulation,
  node: TunnelNode,
  isRouted: (datagram: Datagram) => boolean,
): { count: number } {
  const counted = { count: 0 };
  world.network.interceptor = (datagram) => {
    if (datagram.from.port !== node.port || !node.host.addresses.includes(datagram.from.address)) return [datagram];
    if (!isRouted(datagram)) return [datagram];
    counted.count++;
    const packet = udpPacket({
      source: datagram.from.address,
      sourcePort: datagram.from.port,
      destination: datagram.to.address,
      destinationPort: datagram.to.port,
      payload: datagram.bytes,
    });
    world.after(0, () => node.sendPacket(packet));
    return [];
  };
  return counted;
}

/** Sends a UDP packet on, as a router does. */
function forwardUdp(world: Simulation, packet: Uint8Array): void {
  const view = new DataView(packet.buffer, packet.byteOffset);
  const address = (at: number): string => packet.slice(at, at + 4).join('.');
  world.network.transmit({
    from: new SocketAddress(address(12), view.getUint16(20)),
    to: new SocketAddress(address(16), view.getUint16(22)),
    bytes: packet.slice(28),
    trafficClass: 0,
  });
}
