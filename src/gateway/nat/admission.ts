import { addressBytes } from '../../netstack/address.js';
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
  return host.policy.decide(flow).isAllowed ? device : undefined;
}

/** An address of the gateway itself: nothing is dialled for it. */
export function isOwnAddress({ loop }: NatHost, address: Int32Array): boolean {
  return loop.stack.isOwn(address);
}
