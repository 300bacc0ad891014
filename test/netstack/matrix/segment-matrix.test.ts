import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { ACK, type Answer, type Family, FIN, RST, type Segment, SYN } from './lone-stack.js';
import { type Outcome, outcomeOf, type Variables, WAYS, type Way } from './oracle.js';
import { reach, type Situation, stateOf } from './situation.js';

const BYTES = Uint8Array.of(11, 22, 33);
const NO_DATA = new Uint8Array(0);
const TIME_WAIT_MS = 60_000;

interface Kind {
  readonly name: string;
  readonly flags: number;
  readonly data: Uint8Array;
}

const KINDS: readonly Kind[] = [
  { name: 'SYN', flags: SYN, data: NO_DATA },
  { name: 'SYN with data', flags: SYN, data: BYTES },
  { name: 'SYN-ACK', flags: SYN | ACK, data: NO_DATA },
  { name: 'SYN-ACK with data', flags: SYN | ACK, data: BYTES },
  { name: 'SYN-FIN', flags: SYN | FIN, data: NO_DATA },
  { name: 'SYN-FIN-ACK', flags: SYN | FIN | ACK, data: NO_DATA },
  { name: 'RST', flags: RST, data: NO_DATA },
  { name: 'RST-ACK', flags: RST | ACK, data: NO_DATA },
  { name: 'FIN', flags: FIN, data: NO_DATA },
  { name: 'FIN-ACK', flags: FIN | ACK, data: NO_DATA },
  { name: 'ACK', flags: ACK, data: NO_DATA },
  { name: 'data', flags: ACK, data: BYTES },
  { name: 'data with FIN', flags: ACK | FIN, data: BYTES },
  { name: 'data without ACK', flags: 0, data: BYTES },
  { name: 'segment without flag or data', flags: 0, data: NO_DATA },
];

/** A name for a cell's edge, and the number there. */
type Edge = readonly [name: string, number: number];

function sequenceEdges({ rcvNxt, rcvWnd }: Variables, { flags, data }: Kind): Edge[] {
  const length = data.length + (flags & SYN ? 1 : 0) + (flags & FIN ? 1 : 0);
  const edges: Edge[] = [
    ['outside on the left', (rcvNxt - Math.max(length, 1)) | 0],
    ['at the left edge', rcvNxt],
    ['inside', (rcvNxt + 100) | 0],
    ['at the right edge', (rcvNxt + Math.max(rcvWnd, 200) - 1) | 0],
    ['outside on the right', (rcvNxt + Math.max(rcvWnd, 200)) | 0],
  ];
  if (length > 1) edges.push(['across the left edge', (rcvNxt - 1) | 0]);
  return edges;
}

function acknowledgmentEdges(v: Variables, { flags }: Kind): Edge[] {
  if (!(flags & ACK)) return [['', 0]];
  const { sndUna, sndNxt, maxSndWnd } = v;
  const flight = (sndNxt - sndUna) | 0;
  const edges: Edge[] = [
    ['that acknowledges more than a window ago', (sndUna - maxSndWnd - 1) | 0],
    ['that acknowledges the oldest that counts', (sndUna - maxSndWnd) | 0],
    ['that acknowledges what was acknowledged', (sndUna - 1) | 0],
    ['that acknowledges SND.UNA', sndUna],
    ['that acknowledges what was not sent', (sndNxt + 1) | 0],
  ];
  if (flight > 0) edges.push(['that acknowledges SND.NXT', sndNxt]);
  if (flight > 2) edges.push(['that acknowledges a part', (sndUna + 2) | 0]);
  if (flight > 1 && v.isFinSent) edges.push(['that acknowledges all but FIN', (sndNxt - 1) | 0]);
  return edges;
}

for (const family of ['IPv4', 'IPv6'] as const)
  describe(`a segment in each state, over ${family} (RFC 9293 §3.10.7, RFC 5961, RFC 1337, RFC 6191)`, () => {
    for (const way of WAYS)
      for (const kind of KINDS)
        it(`${way} treats ${kind.name} by the rules, wherever it lies`, () => {
          const failures = cellsOf(way, kind, family).flatMap(({ name, segment }) =>
            failuresOf(way, family, segment, name),
          );
          assert.deepEqual(failures, []);
        });
  });

function cellsOf(way: Way, kind: Kind, family: Family): { name: string; segment: Segment }[] {
  const { variables } = reach(way, family);
  return sequenceEdges(variables, kind).flatMap(([seqName, seq]) =>
    acknowledgmentEdges(variables, kind).map(([ackName, ack]) => ({
      name: `${kind.name} ${seqName} ${ackName}`.trim(),
      segment: { flags: kind.flags, data: kind.data, seq, ack },
    })),
  );
}

/** @returns What is not as it should be, a sentence each. */
function failuresOf(way: Way, family: Family, segment: Segment, name: string): string[] {
  const situation = reach(way, family);
  const { lone, variables } = situation;
  const expected = outcomeOf(way, variables, segment);
  // Time enough for a delayed ACK, too little for a retransmission.
  lone.advance(100);
  lone.answers();
  lone.send(segment);
  lone.advance(60);
  const answers = lone.answers();
  const failures: string[] = [];
  const check = (what: string, actual: unknown, wanted: unknown): void => {
    if (actual !== wanted) failures.push(`${name}: ${what} is ${actual}, not ${wanted}`);
  };
  check('the state', stateOf(lone), expected.state);
  check('the answer', answers.map(show).join(', ') || 'silence', showExpected(expected, answers, variables));
  if (expected.held > 0) check('what is kept', heldBytes(situation, segment), expected.held);
  else check('what arrives', lone.read().length, expected.delivered + situation.unread);
  if (expected.state === 'TIME-WAIT' && way.startsWith('TIME-WAIT')) {
    lone.advance(TIME_WAIT_MS - 140);
    check('the restart', stateOf(lone) === 'TIME-WAIT', expected.isRestarted);
  }
  return failures;
}

/** Fills the gap in front of a segment. @returns By how much the ACK is ahead of the filled gap. */
function heldBytes({ lone, variables: { rcvNxt, sndUna } }: Situation, { seq }: Segment): number {
  const gap = (seq - rcvNxt) | 0;
  for (let at = 0; at < gap; at += 20_000)
    lone.send({
      flags: ACK,
      seq: (rcvNxt + at) | 0,
      ack: sndUna,
      data: new Uint8Array(Math.min(20_000, gap - at)),
    });
  lone.advance(60);
  return ((lone.answers().at(-1)?.ack ?? rcvNxt) - seq) | 0;
}

function show({ flags, seq, ack, dataBytes }: Pick<Answer, 'flags' | 'seq' | 'ack'> & { dataBytes?: number }): string {
  const names = [
    [SYN, 'SYN'],
    [FIN, 'FIN'],
    [RST, 'RST'],
    [ACK, 'ACK'],
  ] as const;
  const text = names.flatMap(([flag, name]) => (flags & flag ? [name] : [])).join('-');
  return `${text} <SEQ=${seq}><ACK=${ack}>${dataBytes ? ` with ${dataBytes} bytes` : ''}`;
}

/** A new initial sequence number is free, but it lies behind everything that the old connection sent. */
function showExpected({ answer }: Outcome, answers: readonly Answer[], { sndNxt }: Variables): string {
  if (answer === undefined) return 'silence';
  if (answer.seq !== undefined) return show({ ...answer, seq: answer.seq });
  const seq = answers[0]?.seq ?? 0;
  const isBehind = ((seq - sndNxt) | 0) > 0;
  return isBehind || sndNxt === seq ? show({ ...answer, seq }) : `${show({ ...answer, seq: 0 })} with a new number`;
}
