import type { Decision, Flow } from '../../policy/access.js';
import type { StackLoop } from '../../rootless/stack-loop.js';
import type { Denials } from './denials.js';
import type { NatCounters } from './nat-counters.js';

/** Decides about a flow before anything is connected. */
export interface FlowPolicy {
  decide(flow: Flow): Decision;
}

/** What every part of the NAT works with. */
export interface NatHost {
  /** In accept-any mode. */
  readonly loop: StackLoop;
  readonly policy: FlowPolicy;
  readonly counters: NatCounters;
  readonly denials: Denials;
  /** Finds the device that an inner address belongs to. */
  deviceOf(address: Int32Array): string | undefined;
}
