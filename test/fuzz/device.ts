import assert from 'node:assert/strict';
import { explainText } from '../../src/control/explain-text.js';
import type { Datagram } from '../../src/sim/datagram.js';
import { Simulation } from '../../src/sim/simulation.js';
import { SocketAddress } from '../../src/sim/socket-address.js';
import type { TunnelNode } from '../../src/sim/tunnel-node.js';
import {
  A_INNER,
  A_OUTER,
  A_OUTER6,
  B_INNER,
  B_OUTER,
  B_OUTER6,
  type Couple,
  makeCouple,
  packetFromA,
  packetFromB,
  receivedTexts,
} from '../sim/couple.js';
import { signMessage } from '../sim/scripted-peer.js';

const HOUR_MS = 3_600_000;
/** Scripts repeat messages from the last ones seen. */
const REMEMBERED_DATAGRAMS = 64;
const MAX_KEYPAIRS = 3;

/**
 * Fuzz target for a device: reads `script` as a list of (bytes, time, control) events for two devices and the network
 * between them, and holds them to what must be true whatever happens.
 *
 * After each event: nothing was thrown, no nonce was used twice, no key outlives its use, the announced deadline is
 * an integer to come. And in the end: once network and configuration are whole again, packets flow.
 *
 * Any bytes are a script.
 *
 * @throws {Error} if a rule is broken.
 */
export function fuzzDevice(script: Uint8Array): void {
  const run = new FuzzRun(script);
  while (run.step()) run.check();
  run.expectRecovery();
}

class FuzzRun {
  readonly #world = new Simulation({ seed: 1 });
  readonly #couple: Couple;
  readonly #script: Uint8Array;
  #at = 0;
  #latestClockMs = 0;

  constructor(script: Uint8Array) {
    this.#script = script;
    this.#couple = makeCouple(this.#world);
    this.#world.network.eve.maxObservations = REMEMBERED_DATAGRAMS;
    this.#noteClocks();
  }

  /** Does what the next bytes say. @returns `false` at the end of the script. */
  step(): boolean {
    if (this.#at >= this.#script.length) return false;
    const actions = [
      () => this.#world.advance(this.#byte()),
      () => this.#world.advance(this.#byte() * 1_000),
      () => this.#send(),
      () => this.#send(),
      () => this.#injectBytes(),
      () => this.#repeatDatagram(),
      () => this.#mutateDatagram(),
      () => this.#injectPacket(),
      () => this.#changeNetwork(),
      () => this.#changePeer(),
      () => this.#changeDevice(),
      () => this.#moveHost(),
    ];
    actions[this.#byte() % actions.length]!();
    this.#noteClocks();
    return true;
  }

  check(): void {
    for (const node of this.#nodes) {
      const deadline = node.device.nextDeadline();
      assert.ok(deadline === Infinity || (Number.isInteger(deadline) && deadline > this.#world.nowMs), `${deadline}`);
      assert.ok(node.aead.liveSlots <= MAX_KEYPAIRS * node.device.peerCount, `${node.aead.liveSlots} keypairs`);
      assert.deepEqual([node.device.outbox.count, node.device.replies.count], [0, 0]);
      for (const peer of node.device.peers)
        assert.match(explainText(node.device.explain(peer, this.#world.nowMs)), /^[A-Z].*\.$/);
    }
  }

  expectRecovery(): void {
    const { a, b } = this.#couple;
    this.#restore();
    this.#world.advance(10_000);
    a.sendPacket(packetFromA('whole again'));
    b.sendPacket(packetFromB('whole again'));
    this.#world.advance(60_000);
    assert.equal(receivedTexts(b).at(-1), 'whole again', 'packets from A flow in the end');
    assert.equal(receivedTexts(a).at(-1), 'whole again', 'packets from B flow in the end');
    this.#world.advance(HOUR_MS);
    for (const node of this.#nodes)
      assert.deepEqual([node.device.nextDeadline(), node.aead.liveSlots], [Infinity, 0], 'and all is quiet after');
  }

  get #nodes(): TunnelNode[] {
    return [this.#couple.a, this.#couple.b];
  }

  #byte(): number {
    return this.#script[this.#at++] ?? 0;
  }

  #bytes(): Uint8Array {
    const length = this.#byte();
    const taken = this.#script.slice(this.#at, this.#at + length);
    this.#at += length;
    return taken;
  }

  #node(): TunnelNode {
    return this.#byte() % 2 === 0 ? this.#couple.a : this.#couple.b;
  }

  #other(node: TunnelNode): { node: TunnelNode; publicKey: Uint8Array; inner: string } {
    const { a, b, aPublic, bPublic } = this.#couple;
    if (node === a) return { node: b, publicKey: bPublic, inner: B_INNER };
    return { node: a, publicKey: aPublic, inner: A_INNER };
  }

  #address(): SocketAddress {
    const addresses = [A_OUTER, B_OUTER, A_OUTER6, B_OUTER6, '203.0.113.1', '2001:db8:ffff::1'];
    return new SocketAddress(addresses[this.#byte() % addresses.length]!, 1 + this.#byte());
  }

  #send(): void {
    const count = 1 + (this.#byte() % 200);
    const node = this.#node();
    const make = node === this.#couple.a ? packetFromA : packetFromB;
    node.sendPackets(Array.from({ length: count }, (_, i) => make(`${i}`)));
  }

  #injectBytes(): void {
    const node = this.#node();
    const from = this.#address();
    node.receive([{ from, to: node.address(A_OUTER), bytes: this.#bytes(), trafficClass: this.#byte() }]);
  }

  /** To whom it was sent, or to the other one. */
  #repeatDatagram(): void {
    const datagram = this.#pickDatagram();
    if (datagram !== undefined) this.#node().receive([{ ...datagram, from: this.#address() }]);
  }

  #mutateDatagram(): void {
    const datagram = this.#pickDatagram();
    if (datagram === undefined) return;
    const bytes = new Uint8Array(Math.max(0, datagram.bytes.length + (this.#byte() % 5) - 2));
    bytes.set(datagram.bytes.subarray(0, bytes.length));
    for (let flips = this.#byte() % 4; flips > 0; flips--) bytes[this.#byte() % (bytes.length || 1)]! ^= this.#byte();
    const node = this.#node();
    const { publicKey } = node.device;
    if (this.#byte() % 2 === 0 && bytes.length >= 64 && publicKey !== undefined) signMessage(bytes, publicKey);
    node.receive([{ ...datagram, bytes }]);
  }

  #pickDatagram(): Datagram | undefined {
    const { observations } = this.#world.network.eve;
    return observations.at(-1 - (this.#byte() % REMEMBERED_DATAGRAMS))?.datagram;
  }

  #injectPacket(): void {
    this.#node().sendPacket(this.#bytes());
  }

  #changeNetwork(): void {
    const { network } = this.#world;
    const kind = this.#byte() % 5;
    if (kind === 0) network.partition(A_OUTER, B_OUTER);
    else if (kind === 1) network.partitionOneWay(A_OUTER, B_OUTER);
    else if (kind === 2) network.heal();
    else
      network.setConditions({
        delayMs: this.#byte(),
        jitterMs: this.#byte(),
        lossRate: this.#byte() / 512,
        duplicationRate: this.#byte() / 512,
        corruptionRate: this.#byte() / 512,
      });
  }

  #changePeer(): void {
    const node = this.#node();
    const { publicKey, inner } = this.#other(node);
    const kind = this.#byte() % 7;
    if (kind === 0) node.removePeer(publicKey);
    else if (kind === 1) node.setPeer(publicKey, { endpoint: this.#address() });
    else if (kind === 2) node.setPeer(publicKey, { persistentKeepaliveSeconds: this.#byte() });
    else if (kind === 3) node.setPeer(publicKey, { presharedKey: new Uint8Array(32).fill(this.#byte() % 2) });
    else if (kind === 4) node.setPeer(publicKey, { allowedIps: [`${inner}/${this.#byte() % 33}`] });
    else if (kind === 5)
      node.setPeer(new Uint8Array(32).fill(this.#byte()), { endpoint: this.#address(), allowedIps: ['0.0.0.0/0'] });
    else node.apply({ replacePeers: true });
  }

  #changeDevice(): void {
    const node = this.#node();
    const kind = this.#byte() % 6;
    if (kind === 0) node.setLinkUp(!node.device.isUp);
    else if (kind === 1) node.setPrivateKey(new Uint8Array(32).fill(this.#byte() % 3));
    else if (kind === 2) node.device.setMtu((this.#byte() << 8) | this.#byte());
    else if (kind === 3) node.wallClock.step((this.#byte() - 128) * 60_000);
    else if (kind === 4) node.reboot();
    else this.#forgetSources(node);
  }

  #forgetSources(node: TunnelNode): void {
    const port = this.#byte();
    node.device.forgetSources((endpoint) => endpoint.port > port);
    node.poke();
  }

  #moveHost(): void {
    const node = this.#node();
    const home = node === this.#couple.a ? [A_OUTER, A_OUTER6] : [B_OUTER, B_OUTER6];
    const away = node === this.#couple.a ? ['203.0.113.10'] : ['203.0.113.20'];
    node.host.addresses = [home, away, []][this.#byte() % 3]!;
  }

  #noteClocks(): void {
    this.#latestClockMs = Math.max(this.#latestClockMs, ...this.#nodes.map(({ wallClock }) => wallClock.unixMs));
  }

  /** Network and configuration as in the beginning; clocks later than they ever were, since stamps never go back. */
  #restore(): void {
    const { a, b, aPrivate, bPrivate } = this.#couple;
    const { network } = this.#world;
    network.heal();
    network.setConditions({});
    a.host.addresses = [A_OUTER, A_OUTER6];
    b.host.addresses = [B_OUTER, B_OUTER6];
    for (const node of this.#nodes) {
      const { node: other, publicKey, inner } = this.#other(node);
      node.wallClock.step(this.#latestClockMs + HOUR_MS - node.wallClock.unixMs);
      node.setPrivateKey(node === a ? aPrivate : bPrivate);
      node.apply({ replacePeers: true });
      node.setPeer(publicKey, { endpoint: other.address(), allowedIps: [`${inner}/32`] });
      node.setLinkUp(true);
    }
  }
}
