import type { Simulation } from '../../src/sim/simulation.js';
import { SocketAddress } from '../../src/sim/socket-address.js';
import type { TunnelNode } from '../../src/sim/tunnel-node.js';
import { signMessage } from './scripted-peer.js';
import { UNDER_LOAD_MESSAGES } from './whitepaper.js';

const FLOOD_ADDRESS = '198.51.100.66';
/** 200,000 messages a second. */
const SATURATING_BURST = 1_000;
const SATURATING_GAP_MS = 5;

/** Has the node take as many messages with a right MAC1 at once as put it under load, from one address. */
export function flood(world: Simulation, node: TunnelNode, publicKey: Uint8Array): void {
  const from = new SocketAddress(FLOOD_ADDRESS, 1);
  const to = node.address();
  const garbage = Array.from({ length: UNDER_LOAD_MESSAGES }, () => floodMessage(world, publicKey));
  node.receive(garbage.map((bytes) => ({ from, to, bytes, trafficClass: 0 })));
}

/** A flood of `perSecond` messages, in bursts as they come from a fast line. @returns How to stop it. */
export function floodFor(world: Simulation, node: TunnelNode, publicKey: Uint8Array, perSecond: number): () => void {
  const pool = Array.from({ length: 500 }, () => floodMessage(world, publicKey));
  const burst = Math.max(UNDER_LOAD_MESSAGES, perSecond / 20);
  let isStopped = false;
  const host = world.addHost('flooder', [FLOOD_ADDRESS]);
  const tick = (): void => {
    if (isStopped) return;
    for (let i = 0; i < burst; i++) host.send({ port: 1, to: node.address(), bytes: world.random.pick(pool) });
    world.after((1_000 * burst) / perSecond, tick);
  };
  tick();
  return () => {
    isStopped = true;
  };
}

/**
 * A flood with a right MAC1 from random addresses, more than the node can answer.
 *
 * @returns How to stop it.
 */
export function saturate(world: Simulation, node: TunnelNode, publicKey: Uint8Array): () => void {
  const pool = Array.from({ length: 200 }, () => floodMessage(world, publicKey));
  let isStopped = false;
  const tick = (): void => {
    if (isStopped) return;
    world.network.eve.clear();
    for (let i = 0; i < SATURATING_BURST; i++) {
      const from = new SocketAddress(`100.64.${world.random.integer(256)}.${world.random.integer(256)}`, 1);
      world.network.transmit({ from, to: node.address(), bytes: world.random.pick(pool), trafficClass: 0 });
    }
    world.after(SATURATING_GAP_MS, tick);
  };
  tick();
  return () => {
    isStopped = true;
  };
}

function floodMessage(world: Simulation, publicKey: Uint8Array): Uint8Array {
  const message = world.random.bytes(148);
  message.fill(0, 0, 8);
  message[0] = 1;
  return signMessage(message, publicKey);
}
