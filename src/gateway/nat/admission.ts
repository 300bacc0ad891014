import { addressBytes, addressEquals } from '../../netstack/address.js';
import type { FlowProtocol } from '../../policy/access.js';
import type { NatHost } from './nat-host.js';

/** Where a packet of a device wants to go. */
export interface Attempt {
  readonly protocol: FlowProtocol;
  readonly local: Int32Array;
  readonly remote: Int32Array;
  /** 0 for ICMP. */
  readonly port: number;
}

/**
 * Asks the policy about the address that is about to be dialled.
 *
 * @returns The device; `undefined` if it may not.
 */
export function admit(host: NatHost, { protocol, local, remote, port }: Attempt): string | undefined {
  const device = host.deviceOf(remote);
  if (device === undefined) return undefined;
  const flow = { device, protocol, destination: addressBytes(local), port };
  const decision = host.policy.decide(flow);
  if (decision.isAllowed) return device;
  host.counters.denied++;
  host.denials.add(flow, decision, Date.now());
  return undefined;
}

/** An address of the gateway itself: nothing is dialled for it. */
export function isOwnAddress({ loop }: NatHost, address: Int32Array): boolean {
  return loop.stack.addresses.some((own) => addressEquals(own, 0, address, 0));
}
