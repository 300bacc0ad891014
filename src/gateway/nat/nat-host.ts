import type { Decision, Flow } from '../../policy/access.js';
import type { StackLoop } from '../../rootless/stack-loop.js';
import type { NatCounters } from './nat-counters.js';

/** Decides about flows. */
export interface FlowPolicy {
  /** Decides about a flow before anything is connected. A refusal is counted, and kept for people to see. */
  decide(flow: Flow): Decision;
  /** Decides without counting: about a flow that lives. */
  explain(flow: Flow): Decision;
}

/** The surroundings of every part of the NAT. */
export interface NatHost {
  /** The stack, in accept-any mode. */
  readonly loop: StackLoop;
  readonly policy: FlowPolicy;
  readonly counters: NatCounters;
  /** Finds the device that an inner address belongs to. */
  deviceOf(address: Int32Array): string | undefined;
  /** Called when a TCP connection of a device has been made. */
  onConnected(device: string): void;
}
