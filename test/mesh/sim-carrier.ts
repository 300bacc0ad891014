import type { CarrierSocket } from '../../src/mesh/carrier/carrier-socket.js';
import type { EventQueue } from '../../src/sim/event-queue.js';
import type { Endpoint } from '../../src/wire/endpoint.js';

/** Connects two sockets by a carrier that loses nothing and keeps the order. @returns The endpoint of the far end at each. */
export function connectCarrier(events: EventQueue, agent: CarrierSocket, hub: CarrierSocket, delayMs: number) {
  const link = (to: CarrierSocket, from: () => Endpoint) => ({
    send: (datagram: Uint8Array) => events.schedule(events.nowMs + delayMs, () => to.deliver(from(), datagram)),
    close: () => {},
  });
  const atAgent = agent.addConnection(link(hub, () => atHub));
  const atHub: Endpoint = hub.addConnection(link(agent, () => atAgent));
  return { atAgent, atHub };
}
