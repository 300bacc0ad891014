import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { ACK, FIN, LoneStack, PEER_ISS, STACK_PORT, SYN } from './lone-stack.js';

const NO_DATA = new Uint8Array(0);
const OLD_STAMP = 1_000_000;

type Stamp = 'none' | 'older' | 'equal' | 'newer';
type Place = 'in front of' | 'at' | 'behind';

const STAMPS: Readonly<Record<Stamp, number | undefined>> = {
  none: undefined,
  older: OLD_STAMP - 1,
  equal: OLD_STAMP,
  newer: OLD_STAMP + 1,
};
const STAMP_NAMES: Readonly<Record<Stamp, string>> = {
  none: 'no timestamp',
  older: 'an older timestamp',
  equal: 'the same timestamp',
  newer: 'a newer timestamp',
};
const PLACES: Readonly<Record<Place, number>> = { 'in front of': -1, at: 0, behind: 1 };

/** RFC 6191 §2, case by case. */
function opens(hadTimestamps: boolean, stamp: Stamp, place: Place): boolean {
  const isBehind = place === 'behind';
  if (stamp === 'none') return isBehind;
  if (!hadTimestamps || stamp === 'newer') return true;
  return stamp === 'equal' && isBehind;
}

/** Opens and closes a connection, the stack first. @returns The peer's next sequence number, and the stack's. */
function closeFirst(lone: LoneStack, hasTimestamps: boolean, sent = 0): { rcvNxt: number; sndNxt: number } {
  const timestamp = hasTimestamps ? OLD_STAMP : undefined;
  const send = (flags: number, seq: number, ack: number): void =>
    lone.send({ flags, seq, ack, data: NO_DATA, timestamp });
  lone.tcp.listen(undefined, STACK_PORT);
  send(SYN, PEER_ISS, 0);
  const rcvNxt = (PEER_ISS + 1) | 0;
  let sndNxt = (lone.answers()[0]!.seq + 1) | 0;
  send(ACK, rcvNxt, sndNxt);
  for (let left = sent; left > 0; ) {
    const taken = lone.tcp.write(lone.flow!, new Uint8Array(left), 0, left);
    left -= taken;
    lone.pump();
    for (const { seq, dataBytes } of lone.answers()) sndNxt = (seq + dataBytes) | 0;
    send(ACK, rcvNxt, sndNxt);
  }
  for (let more = lone.answers(); more.length > 0; more = lone.answers()) {
    const { seq, dataBytes } = more.at(-1)!;
    sndNxt = (seq + dataBytes) | 0;
    send(ACK, rcvNxt, sndNxt);
  }
  lone.tcp.shutdown(lone.flow!);
  lone.pump();
  sndNxt = (sndNxt + 1) | 0;
  send(ACK, rcvNxt, sndNxt);
  send(FIN | ACK, rcvNxt, sndNxt);
  lone.answers();
  return { rcvNxt: (rcvNxt + 1) | 0, sndNxt };
}

describe('a SYN in TIME-WAIT (RFC 6191 §2)', () => {
  for (const hadTimestamps of [true, false])
    for (const stamp of ['none', 'older', 'equal', 'newer'] as const)
      for (const place of ['in front of', 'at', 'behind'] as const) {
        const isOpened = opens(hadTimestamps, stamp, place);
        const before = hadTimestamps ? 'timestamps' : 'no timestamps';
        const title = `after ${before}, with ${STAMP_NAMES[stamp]} ${place} RCV.NXT`;
        it(`${title} ${isOpened ? 'opens a new connection' : 'gets an ACK'}`, () => {
          const lone = new LoneStack('IPv4');
          const { rcvNxt } = closeFirst(lone, hadTimestamps);
          const seq = (rcvNxt + PLACES[place]) | 0;

          lone.send({ flags: SYN, seq, ack: 0, data: NO_DATA, timestamp: STAMPS[stamp] });

          const [answer] = lone.answers();
          const expected = isOpened ? [SYN | ACK, (seq + 1) | 0] : [ACK, rcvNxt];
          assert.deepEqual([answer!.flags, answer!.ack], expected);
        });
      }

  it('gets a sequence number behind all that the old connection sent, however fast that was (RFC 9293 §3.10.7.4)', () => {
    const lone = new LoneStack('IPv4');
    // Faster than the clock of initial sequence numbers, which makes 250 of them in a millisecond.
    const { rcvNxt, sndNxt } = closeFirst(lone, false, 1_000_000);

    lone.send({ flags: SYN, seq: (rcvNxt + 1) | 0, ack: 0, data: NO_DATA });

    const [answer] = lone.answers();
    assert.equal(answer!.flags, SYN | ACK);
    assert.ok(((answer!.seq - sndNxt) | 0) > 65_535);
  });
});
