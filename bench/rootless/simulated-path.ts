import { StackPair } from '../../test/netstack/stack-pair.js';
import type { Direction } from './throughput.js';

/** A path between two of our stacks, on virtual time. */
export interface PathConditions {
  readonly rateBits: number;
  readonly roundTripMs: number;
  /** Probability that a packet is lost, in either direction. */
  readonly lossRate: number;
}

/** Bytes of TCP payload in a packet of 1,420 bytes with timestamps. */
export const SEGMENT_BYTES = 1_368;
const PORT = 7_200;
const CHUNK_BYTES = 256 * 1024;

/**
 * Moves bytes over one connection, from its opener or to it, as fast as the path allows. The queue before the path holds one
 * bandwidth-delay product.
 *
 * @returns Bits of payload a second, the handshake and slow start included.
 */
export function goodput(conditions: PathConditions, direction: Direction, seconds: number, seed: number): number {
  const { rateBits, roundTripMs, lossRate } = conditions;
  const queueBytes = (rateBits / 8) * (roundTripMs / 1_000);
  const pair = new StackPair(seed, { delayMs: roundTripMs / 2, rateBits, queueBytes, lossRate });
  const [sender, receiver] = direction === 'from' ? [pair.a, pair.b] : [pair.b, pair.a];
  const chunk = new Uint8Array(CHUNK_BYTES);
  let received = 0;
  sender.onEvent = (flow) => {
    flow.events = 0;
    // Until the send buffer is full: then there is an event when it is not.
    while (sender.stack.tcp.write(flow, chunk, 0, chunk.length) === chunk.length);
  };
  sender.onAccept = sender.onEvent;
  receiver.onEvent = (flow) => {
    flow.events = 0;
    for (let bytes = 1; bytes > 0; received += bytes)
      bytes = receiver.stack.tcp.read(flow, chunk, 0, chunk.length, receiver.nowMs);
  };
  pair.b.stack.tcp.listen(undefined, PORT, 8);
  pair.a.connect(PORT);
  pair.advance(seconds * 1_000);
  return (received * 8) / seconds;
}

/** Constants of CUBIC. Source: RFC 9438 §4.6, §5. */
const C = 0.4;
const BETA = 0.7;

/**
 * The rate that CUBIC gets on a path whose only limit is its losses: the greater of its own average window and of Reno's, which
 * it follows where that is greater, one window per round trip.
 *
 * Source: RFC 9438 §5, which has the average window of CUBIC, and §4.3 for the Reno-friendly region.
 */
export function cubicRate({ rateBits, roundTripMs, lossRate }: PathConditions): number {
  const roundTripSeconds = roundTripMs / 1_000;
  const cubic = ((C * (3 + BETA)) / (4 * (1 - BETA))) ** 0.25 * (roundTripSeconds / lossRate) ** 0.75;
  const reno = Math.sqrt(3 / (2 * lossRate));
  const bits = (Math.max(cubic, reno) * SEGMENT_BYTES * 8) / roundTripSeconds;
  return Math.min(bits, rateBits);
}
