import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { addressWords } from '../../../src/netstack/address.js';
import { PEER4, RawStack, readTcp, STACK4, tcpPacket } from '../regressions/raw-stack.js';

const SYN = 0x02;
const ACK = 0x10;

describe('a SYN for which there was no path', () => {
  it('leaves again at once when there is one, and the time without it is no sample (RFC 6298 §2.2, §5.7)', () => {
    const stack = new RawStack();
    const flow = connect(stack);
    const [lost] = stack.take().map(readTcp);
    assert.deepEqual(stack.advance(900), []);

    stack.stack.tcp.repeatSyns();
    const [again] = stack.take().map(readTcp);
    assert.deepEqual([again!.flags, again!.seq], [SYN, lost!.seq]);
    assert.equal(flow.retries, 0);
    stack.advance(20);
    stack.deliver(tcpPacket({ sport: 80, dport: again!.sport, flags: SYN | ACK, seq: 7, ack: again!.seq + 1 }));

    assert.equal(Math.round(flow.rtt.smoothedMs), 20);
  });

  it('is not sent again once it was answered', () => {
    const stack = new RawStack();
    connect(stack);
    const [syn] = stack.take().map(readTcp);
    stack.deliver(tcpPacket({ sport: 80, dport: syn!.sport, flags: SYN | ACK, seq: 7, ack: syn!.seq + 1 }));
    stack.take();

    stack.stack.tcp.repeatSyns();

    assert.deepEqual(stack.take(), []);
  });
});

function connect({ stack, nowMs }: RawStack) {
  return stack.tcp.connect(addressWords(Uint8Array.from(STACK4)), addressWords(Uint8Array.from(PEER4)), 80, nowMs)!;
}
