import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { addressWords } from '../../../src/netstack/address.js';
import { TcpState } from '../../../src/netstack/tcp/tcp-state.js';
import { PEER4, RawStack, readTcp, STACK4, tcpPacket } from '../regressions/raw-stack.js';

const SYN = 0x02;
const RST = 0x04;
const ACK = 0x10;

describe('a stack that aborts all connections', () => {
  it('resets each that the peer knows of, and keeps none', () => {
    const stack = new RawStack();
    const flows = [80, 81].map((port) => connect(stack, port));
    for (const syn of stack.take().map(readTcp))
      stack.deliver(tcpPacket({ sport: syn.dport, dport: syn.sport, flags: SYN | ACK, seq: 7, ack: syn.seq + 1 }));
    stack.take();
    assert.ok(flows.every(({ state }) => state === TcpState.Established));

    stack.stack.tcp.abortAll();

    const resets = stack.take().map(readTcp);
    assert.deepEqual(resets.map(({ dport }) => dport).sort(), [80, 81]);
    assert.ok(resets.every(({ flags }) => (flags & RST) !== 0));
    assert.ok(flows.every(({ state }) => state === TcpState.Closed));
  });
});

function connect({ stack, nowMs }: RawStack, port: number) {
  return stack.tcp.connect(addressWords(Uint8Array.from(STACK4)), addressWords(Uint8Array.from(PEER4)), port, nowMs)!;
}
