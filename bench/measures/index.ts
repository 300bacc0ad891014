import type { Measure } from '../measure.js';
import { busyPeers } from './busy-peers.js';
import { forwarding } from './forwarding.js';
import { handshakeRate } from './handshakes.js';
import { initiationFlood } from './initiation-flood.js';
import { pingIdle, pingLoaded } from './latency.js';
import { idlePeers, peerMemory } from './peers.js';
import { coldStart, heap, idle, memory } from './resources.js';
import { tcpMeasures } from './tcp.js';
import { udpFlood, udpSmall } from './udp.js';

/** All measures, in the order of the table. */
export const measures: readonly Measure[] = [
  ...tcpMeasures,
  udpFlood,
  udpSmall,
  forwarding,
  pingIdle,
  pingLoaded,
  handshakeRate,
  initiationFlood,
  idlePeers,
  busyPeers,
  memory,
  peerMemory,
  heap,
  idle,
  coldStart,
];
