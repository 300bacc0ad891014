/**
 * WireGuard on virtual time: hosts, networks, NATs and attackers in one process, for tests of programs that use a tunnel.
 *
 * ```ts
 * import { Simulation } from 'wiretype/sim';
 *
 * const world = new Simulation({ seed: 1 });
 * const node = world.addNode('a', world.addHost('a', ['192.0.2.1']));
 * node.setPrivateKey(world.random.bytes(32));
 * world.network.setConditions({ delayMs: 20, lossRate: 0.01 });
 * world.advance(60_000);
 * ```
 *
 * Unstable: it may change with any version.
 */

export type { Datagram } from './datagram.js';
export { Eavesdropper } from './eavesdropper.js';
export { EventQueue, type ScheduledEvent } from './event-queue.js';
export { Host } from './host.js';
export { HostSocket } from './host-socket.js';
export { Nat, type NatOptions } from './nat.js';
export { type Interceptor, type LinkConditions, Network } from './network.js';
export type { PeerSettings } from './peer-settings.js';
export { SeededRandom } from './seeded-random.js';
export { Simulation, type SimulationOptions } from './simulation.js';
export { SocketAddress } from './socket-address.js';
export { TunnelNode } from './tunnel-node.js';
export { VirtualClock } from './virtual-clock.js';
export { WallClock } from './wall-clock.js';
