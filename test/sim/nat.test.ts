import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { EventQueue } from '../../src/sim/event-queue.js';
import { Host } from '../../src/sim/host.js';
import { Nat, type NatOptions } from '../../src/sim/nat.js';
import { Network } from '../../src/sim/network.js';
import { SeededRandom } from '../../src/sim/seeded-random.js';
import { SocketAddress } from '../../src/sim/socket-address.js';

const OUTSIDE = '198.51.100.1';
const SERVER = '192.0.2.1';
const OTHER_SERVER = '192.0.2.2';
const PORT = 51_820;
const TIMEOUT_MS = 30_000;

describe('Nat', () => {
  it('sends from its own address, and brings the answer back', () => {
    const world = makeWorld();
    world.send(SERVER, PORT);
    assert.deepEqual(world.seenBy(SERVER), [`${OUTSIDE}:${PORT}`]);

    world.answer(SERVER, PORT, PORT);
    assert.equal(world.inward(), 1);
  });

  it('keeps one mapping for all destinations when mapping is endpoint-independent', () => {
    const world = makeWorld({ mapping: 'endpoint-independent' });
    world.send(SERVER, PORT);
    world.send(OTHER_SERVER, PORT);
    assert.deepEqual([...world.seenBy(SERVER), ...world.seenBy(OTHER_SERVER)], Array(2).fill(`${OUTSIDE}:${PORT}`));
  });

  it('uses another port for each destination when it is symmetric', () => {
    const world = makeWorld({ mapping: 'address-and-port-dependent' });
    world.send(SERVER, PORT);
    world.send(SERVER, PORT + 1);
    world.send(OTHER_SERVER, PORT);
    const ports = new Set([...world.seenBy(SERVER), ...world.seenBy(OTHER_SERVER)]);
    assert.deepEqual([ports.size, world.nat.mappingCount], [3, 3]);
  });

  for (const [filtering, sameAddressOtherPort, otherAddress] of [
    ['endpoint-independent', true, true],
    ['address-dependent', true, false],
    ['address-and-port-dependent', false, false],
  ] as const) {
    it(`with ${filtering} filtering lets in: other port ${sameAddressOtherPort}, other address ${otherAddress}`, () => {
      const world = makeWorld({ filtering });
      world.send(SERVER, PORT);
      world.answer(SERVER, PORT + 1, PORT);
      assert.equal(world.inward(), sameAddressOtherPort ? 1 : 0);
      world.answer(OTHER_SERVER, PORT, PORT);
      assert.equal(world.inward(), Number(sameAddressOtherPort) + Number(otherAddress));
    });
  }

  it('forgets a mapping when nothing was sent from inside for its timeout', () => {
    const world = makeWorld();
    world.send(SERVER, PORT);
    world.events.runUntil(TIMEOUT_MS - 1);
    world.answer(SERVER, PORT, PORT);
    assert.equal(world.inward(), 1, 'still open; what comes from outside does not refresh it');

    world.events.runUntil(TIMEOUT_MS);
    world.answer(SERVER, PORT, PORT);
    assert.deepEqual([world.inward(), world.nat.refusedDatagrams], [1, 1]);
  });

  it('that accepts datagrams to itself gives another port to where one came from, although the port is mapped', () => {
    const { send, answer, seenBy } = makeWorld({ acceptsOwn: true });
    send(SERVER, 53);
    answer(OTHER_SERVER, 53, PORT);
    send(OTHER_SERVER, 53);
    send(SERVER, 53);
    assert.deepEqual(seenBy(SERVER), [`${OUTSIDE}:${PORT}`, `${OUTSIDE}:${PORT}`]);
    assert.equal(seenBy(OTHER_SERVER).length, 1);
    assert.notEqual(seenBy(OTHER_SERVER)[0], `${OUTSIDE}:${PORT}`);
  });

  it('forgets everything when it is rebooted, and moves with its address when it is renumbered', () => {
    const world = makeWorld();
    world.send(SERVER, PORT);
    world.nat.renumber('198.51.100.9');
    world.send(SERVER, PORT);
    assert.equal(world.seenBy(SERVER).at(-1), `198.51.100.9:${PORT}`);

    world.nat.reboot();
    world.answer(SERVER, PORT, PORT, '198.51.100.9');
    assert.equal(world.inward(), 0);
  });
});

interface World {
  readonly events: EventQueue;
  readonly nat: Nat;
  /** Sends from inside. */
  send(address: string, port: number): void;
  /** Sends to the NAT from outside. */
  answer(fromAddress: string, fromPort: number, toPort: number, toAddress?: string): void;
  seenBy(address: string): string[];
  /** Datagrams that came in so far. */
  inward(): number;
}

function makeWorld(options: Partial<NatOptions> = {}): World {
  const events = new EventQueue(0);
  const outside = new Network('outside', events, new SeededRandom(1));
  const inside = new Network('inside', events, new SeededRandom(2));
  const all: NatOptions = {
    mapping: 'endpoint-independent',
    filtering: 'address-and-port-dependent',
    timeoutMs: TIMEOUT_MS,
    ...options,
  };
  const nat = new Nat({ outside, inside }, OUTSIDE, all, events, new SeededRandom(3));
  const client = new Host('client', inside, ['10.1.1.2']);
  const servers = new Map([SERVER, OTHER_SERVER].map((address) => [address, new Host(address, outside, [address])]));
  let inward = 0;
  client.listen(PORT, () => inward++);

  return {
    events,
    nat,
    send: (address, port) => {
      client.send({ port: PORT, to: new SocketAddress(address, port), bytes: Uint8Array.of(1) });
      events.runUntil(events.nowMs);
    },
    answer: (fromAddress, port, toPort, toAddress = OUTSIDE) => {
      servers.get(fromAddress)!.send({ port, to: new SocketAddress(toAddress, toPort), bytes: Uint8Array.of(2) });
      events.runUntil(events.nowMs);
    },
    seenBy: (address) =>
      outside.eve.observations
        .filter(({ datagram }) => datagram.to.address === address)
        .map(({ datagram }) => String(datagram.from)),
    inward: () => inward,
  };
}
