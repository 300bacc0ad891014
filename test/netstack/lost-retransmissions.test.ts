import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { StackPair, Transfer } from './stack-pair.js';

const MSS = 1_368;
const FLIGHT_SEGMENTS = 10;
const DELAY_MS = 25;
const IP_HEADER_BYTES = 20;
/** The recovery with a tail probe takes half of it; the first retransmission timeout, of a second, would take more. */
const LIMIT_MS = 800;

describe('a retransmission that is lost', () => {
  it('shows by other retransmissions that arrive, whatever stamp their ACKs echo (RFC 8985 §6.2, RFC 7323 §4.3)', () => {
    const pair = new StackPair(1, { delayMs: DELAY_MS });
    const sendings = new Map<number, number>();
    let first: number | undefined;
    // Only the last segment of one flight arrives, and all second sendings but that of the first segment.
    const filter = (packet: Uint8Array): boolean => {
      const view = new DataView(packet.buffer, packet.byteOffset);
      const seq = view.getUint32(IP_HEADER_BYTES + 4);
      const dataBytes = packet.length - IP_HEADER_BYTES - 4 * (packet[IP_HEADER_BYTES + 12]! >> 4);
      if (dataBytes === 0) return true;
      first ??= seq;
      const index = Math.round((seq - first) / MSS);
      const sending = (sendings.get(index) ?? 0) + 1;
      sendings.set(index, sending);
      if (index === 0) return sending > 2;
      return sending > 1 || index >= FLIGHT_SEGMENTS - 1;
    };
    pair.a.conditions = { delayMs: DELAY_MS, filter };
    pair.b.stack.tcp.listen(undefined, 80);
    let server: Transfer | undefined;
    pair.b.onAccept = (flow) => {
      server = new Transfer(pair.b, flow, new Uint8Array(0));
      server.take();
    };
    const client = new Transfer(pair.a, pair.a.connect(80), new Uint8Array(FLIGHT_SEGMENTS * MSS));
    const startMs = pair.events.nowMs;
    const isDone = (): boolean => server?.receivedBytes === FLIGHT_SEGMENTS * MSS;
    assert.ok(pair.advanceUntil(isDone, 10_000));
    assert.equal(sendings.get(0), 3);
    assert.ok(pair.events.nowMs - startMs <= LIMIT_MS, `${pair.events.nowMs - startMs} ms`);
    assert.equal(client.flow.retries, 0, 'no timeout was needed');
  });
});
