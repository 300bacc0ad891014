import assert from 'node:assert/strict';
import { describe } from 'node:test';
import type { Simulation } from '../../src/sim/simulation.js';
import type { TunnelNode } from '../../src/sim/tunnel-node.js';
import { receivedTexts, textPacket } from './couple.js';
import { publicKeyOf } from './plain-noise.js';
import { scenario } from './scenario.js';
import { REJECT_AFTER_TIME_MS } from './whitepaper.js';

const PEERS = 1_000;
const SILENT_PEERS = 250;
const HUB_INNER = '10.99.0.1';

describe('A device with many peers', () => {
  scenario(
    'serves 1,000 of them: handshakes at once, traffic both ways, rekeys, roaming, and silence afterwards',
    (world) => {
      const { hub, spokes } = makeHub(world, PEERS);
      world.network.setConditions({ delayMs: 20, jitterMs: 10 });
      for (const [i, spoke] of spokes.entries()) spoke.sendPacket(textPacket(innerOf(i), HUB_INNER, `hello ${i}`));
      world.advance(30_000);
      assert.equal(new Set(receivedTexts(hub)).size, PEERS, 'under load as well: cookies see to that');

      for (const [i, spoke] of spokes.entries()) if (i % 10 === 0) spoke.host.addresses = [roamedAddress(i)];
      for (const [i, spoke] of spokes.entries()) spoke.sendPacket(textPacket(innerOf(i), HUB_INNER, 'moved'));
      world.advance(1_000);
      hub.sendPackets(spokes.map((_, i) => textPacket(HUB_INNER, innerOf(i), `back ${i}`)));
      world.advance(1_000);
      for (const [i, spoke] of spokes.entries()) assert.equal(receivedTexts(spoke).at(-1), `back ${i}`);

      world.advance(3 * REJECT_AFTER_TIME_MS);
      assert.deepEqual([hub.device.nextDeadline(), hub.aead.liveSlots], [Infinity, 0]);
      assert.ok(hub.wakeUps < 4 * PEERS, `${hub.wakeUps} wake-ups`);
      assert.equal(world.ledger.gaps, 0);
    },
    { isSwift: true },
  );

  scenario(
    'that all fall silent at once gives every one up, and none is disturbed by the others',
    (world) => {
      const { hub, spokes } = makeHub(world, SILENT_PEERS);
      const last = spokes.at(-1)!;
      last.sendPacket(textPacket(innerOf(SILENT_PEERS - 1), HUB_INNER, 'alive'));
      for (const spoke of spokes.slice(0, -1)) spoke.host.addresses = [];
      hub.sendPackets(spokes.map((_, i) => textPacket(HUB_INNER, innerOf(i), 'anybody?')));
      for (let second = 0; second < 100; second++) {
        last.sendPacket(textPacket(innerOf(SILENT_PEERS - 1), HUB_INNER, `${second}`));
        world.advance(1_000);
      }
      assert.equal(hub.received.length, 101);
      assert.equal(world.network.eve.total('initiation'), 2 + 18 * (SILENT_PEERS - 1), 'the live one and the hub met');
      world.advance(3 * REJECT_AFTER_TIME_MS);
      assert.equal(hub.device.nextDeadline(), Infinity);
    },
    { isSwift: true },
  );

  scenario(
    'sends persistent keepalives to each at its own time, with one wake-up per deadline at most',
    (world) => {
      const { hub, spokes } = makeHub(world, 100);
      for (const [i, spoke] of spokes.entries()) {
        world.advance(10);
        hub.setPeer(spoke.device.publicKey!, { persistentKeepaliveSeconds: 20 + (i % 10) });
      }
      world.advance(1_000);
      const [wakeUps, sent] = [hub.wakeUps, world.network.eve.total('transportData')];
      world.advance(60_000);
      const keepalives = world.network.eve.total('transportData') - sent;
      assert.ok(keepalives >= 200 && keepalives <= 300, `${keepalives}`);
      assert.ok(hub.wakeUps - wakeUps <= keepalives, `${hub.wakeUps - wakeUps} wake-ups`);
    },
    { isSwift: true },
  );
});

/** A hub at 192.0.2.1 that knows where each spoke is. */
function makeHub(world: Simulation, count: number): { hub: TunnelNode; spokes: TunnelNode[] } {
  const hubPrivate = world.random.bytes(32);
  const hubPublic = publicKeyOf(hubPrivate);
  const hub = world.addNode('hub', world.addHost('hub', ['192.0.2.1']));
  hub.setPrivateKey(hubPrivate);
  hub.setLinkUp(true);

  const spokes = Array.from({ length: count }, (_, i) => {
    const address = `198.18.${i >> 8}.${i & 255}`;
    const spoke = world.addNode(address, world.addHost(address, [address]));
    spoke.setPrivateKey(world.random.bytes(32));
    spoke.setPeer(hubPublic, { endpoint: hub.address(), allowedIps: [`${HUB_INNER}/32`] });
    hub.setPeer(spoke.device.publicKey!, { endpoint: spoke.address(), allowedIps: [`${innerOf(i)}/32`] });
    spoke.setLinkUp(true);
    return spoke;
  });
  return { hub, spokes };
}

function innerOf(i: number): string {
  return `10.1.${i >> 8}.${i & 255}`;
}

function roamedAddress(i: number): string {
  return `198.19.${i >> 8}.${i & 255}`;
}
