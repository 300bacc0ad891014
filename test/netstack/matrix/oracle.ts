/**
 * The effect of a segment on a connection, by the letter of the standard: a second, small statement of the rules, to compare
 * the stack with. It knows nothing of the stack.
 *
 * Source: RFC 9293 §3.10.7; RFC 5961 §3.2, §4.2, §5.2; RFC 1337 §3; RFC 6191 §2. Choices are marked "Choice".
 */
import { ACK, FIN, RST, type Segment, SYN } from './lone-stack.js';

/** The ways into a state. Some have two, because the next step depends on the way. */
export const WAYS = [
  'CLOSED',
  'LISTEN',
  'SYN-SENT',
  'SYN-RECEIVED by listen',
  'SYN-RECEIVED by simultaneous open',
  'ESTABLISHED',
  'FIN-WAIT-1',
  'FIN-WAIT-2',
  'CLOSE-WAIT',
  'CLOSING',
  'LAST-ACK',
  'TIME-WAIT',
  'TIME-WAIT with a listener',
  'ESTABLISHED with a closed window',
  'FIN-WAIT-1 with a closed window',
] as const;
export type Way = (typeof WAYS)[number];

/** RFC 9293 §3.3.1, and whether FIN was sent. */
export interface Variables {
  readonly iss: number;
  readonly irs: number;
  readonly sndUna: number;
  readonly sndNxt: number;
  readonly rcvNxt: number;
  readonly rcvWnd: number;
  /** RFC 5961 §5.2. */
  readonly maxSndWnd: number;
  readonly isFinSent: boolean;
}

export interface Outcome {
  readonly state: string;
  /** `undefined`: silence. A sequence number of `undefined`: a new initial one, behind all that was sent. */
  readonly answer: { readonly flags: number; readonly seq: number | undefined; readonly ack: number } | undefined;
  /** Bytes that the program can read. */
  readonly delivered: number;
  /** Sequence space that is kept behind a gap: bytes, and FIN. */
  readonly held: number;
  /** The 2 MSL of TIME-WAIT start over. */
  readonly isRestarted: boolean;
}

export function outcomeOf(way: Way, v: Variables, segment: Segment): Outcome {
  if (way === 'CLOSED') return closed(segment);
  if (way === 'LISTEN') return listen(segment);
  if (way === 'SYN-SENT') return synSent(v, segment);
  return otherStates(way, v, segment);
}

function outcome(state: string, answer?: Outcome['answer'], more: Partial<Outcome> = {}): Outcome {
  return { state, answer, delivered: 0, held: 0, isRestarted: false, ...more };
}

/** §3.10.7.1. */
function closed({ flags, seq, ack, data }: Segment): Outcome {
  if (flags & RST) return outcome('CLOSED');
  if (flags & ACK) return outcome('CLOSED', { flags: RST, seq: ack, ack: 0 });
  return outcome('CLOSED', { flags: RST | ACK, seq: 0, ack: (seq + lengthOf(flags, data)) | 0 });
}

/** §3.10.7.2. Choice: text and FIN of a SYN are not kept, so the peer sends them again. */
function listen({ flags, seq, ack }: Segment): Outcome {
  if (flags & RST) return outcome('LISTEN');
  if (flags & ACK) return outcome('LISTEN', { flags: RST, seq: ack, ack: 0 });
  if (flags & SYN) return outcome('SYN-RECEIVED', { flags: SYN | ACK, seq: undefined, ack: (seq + 1) | 0 });
  return outcome('LISTEN');
}

/** §3.10.7.3; erratum 8167: RFC 5961 adds nothing here. */
function synSent(v: Variables, segment: Segment): Outcome {
  const { flags, seq, ack } = segment;
  if (flags & ACK && !isBetween(v.sndUna, ack, v.sndNxt))
    return outcome('SYN-SENT', flags & RST ? undefined : { flags: RST, seq: ack, ack: 0 });
  if (flags & RST) return outcome(flags & ACK ? 'CLOSED' : 'SYN-SENT');
  if (!(flags & SYN)) return outcome('SYN-SENT');
  const rcvNxt = (seq + 1) | 0;
  // Choice: text and FIN of a SYN without ACK are not queued, so the peer sends them again.
  if (!(flags & ACK)) return outcome('SYN-RECEIVED', { flags: SYN | ACK, seq: v.iss, ack: rcvNxt });
  const behindSyn = { ...v, irs: seq, rcvNxt, rcvWnd: 65_535, sndUna: ack };
  const rest = text('ESTABLISHED', behindSyn, { ...segment, seq: rcvNxt, flags: flags & ~SYN });
  return { ...rest, answer: rest.answer ?? acknowledgment(behindSyn) };
}

/** §3.10.7.4. */
function otherStates(way: Way, v: Variables, segment: Segment): Outcome {
  const state = way.split(' ')[0]!;
  const { flags, seq, ack, data } = segment;
  const isSynReceived = state === 'SYN-RECEIVED';
  const isPassive = way === 'SYN-RECEIVED by listen';
  if (isSynReceived && (flags & (SYN | RST)) === SYN && seq === v.irs) {
    // Choice: a SYN that comes again shows that our SYN-ACK was lost; by the letter it would get an ACK.
    if (!(flags & ACK)) return outcome(state, { flags: SYN | ACK, seq: v.iss, ack: v.rcvNxt });
    // §3.5, figure 8, line 7: the peer's half of a simultaneous open.
    if (!isPassive && isBetween(v.sndUna, ack, v.sndNxt)) return outcome('ESTABLISHED', acknowledgment(v));
  }
  if (way === 'TIME-WAIT with a listener' && (flags & (SYN | ACK | RST)) === SYN && distance(v.rcvNxt, seq) > 0)
    return outcome('SYN-RECEIVED', { flags: SYN | ACK, seq: undefined, ack: (seq + 1) | 0 }); // fourth step; RFC 6191 §2
  // Choice: a FIN by itself needs no room, so it is taken at a closed window.
  if (way.endsWith('closed window') && isBareFin(v, segment))
    return otherStates(state as Way, { ...v, rcvWnd: 1 }, segment);
  const isFinAgain = state === 'TIME-WAIT' && isLastFin(v, segment);

  // First, the sequence number.
  if (!isAcceptable(v, seq, lengthOf(flags, data))) {
    // A closed window takes no text, though what comes at its edge may acknowledge.
    const mayAcknowledge = v.rcvWnd === 0 && seq === v.rcvNxt && (flags & (SYN | RST | ACK)) === ACK;
    const next = mayAcknowledge && ack === v.sndNxt ? stateAfterAck(state, v.isFinSent) : state;
    return outcome(next, flags & RST ? undefined : acknowledgment(v), { isRestarted: isFinAgain });
  }

  // Second, RST (RFC 5961 §3.2). RFC 1337 §3: none ends TIME-WAIT.
  if (flags & RST) {
    if (state === 'TIME-WAIT') return outcome(state);
    if (seq !== v.rcvNxt) return outcome(state, acknowledgment(v));
    return outcome(isPassive ? 'LISTEN' : 'CLOSED');
  }
  // Fourth, SYN (RFC 5961 §4.2).
  // A passive open returns to LISTEN. Choice: the SYN counts there, and does not have to come again.
  if (flags & SYN) return isPassive ? listen(segment) : outcome(state, acknowledgment(v));
  // Fifth, ACK.
  if (!(flags & ACK)) return outcome(state);
  if (isSynReceived) {
    if (!isBetween(v.sndUna, ack, v.sndNxt)) return outcome(state, { flags: RST, seq: ack, ack: 0 });
    return text('ESTABLISHED', v, segment);
  }
  if (distance(ack, v.sndNxt) < 0 || distance(ack, v.sndUna) > v.maxSndWnd) return outcome(state, acknowledgment(v));
  return text(stateAfterAck(state, v.isFinSent && ack === v.sndNxt), v, segment);
}

function stateAfterAck(state: string, isFinAcknowledged: boolean): string {
  if (!isFinAcknowledged) return state;
  if (state === 'FIN-WAIT-1') return 'FIN-WAIT-2';
  if (state === 'CLOSING') return 'TIME-WAIT';
  return state === 'LAST-ACK' ? 'CLOSED' : state;
}

/** Seventh and eighth step: text and FIN, cut to the window (§3.10.7.4, first step). */
function text(state: string, v: Variables, { flags, seq, data }: Segment): Outcome {
  if (state === 'CLOSED') return outcome(state);
  const hasFin = (flags & FIN) !== 0;
  if (!AFTER_FIN[state]) {
    // Text behind FIN is ignored. Choice: a second FIN is acknowledged, and does not count.
    return outcome(state, hasFin ? acknowledgment(v) : undefined);
  }
  const skipped = Math.max(distance(seq, v.rcvNxt), 0);
  const start = (seq + skipped) | 0;
  const room = v.rcvWnd - distance(v.rcvNxt, start);
  const bytes = Math.max(Math.min(data.length - skipped, room), 0);
  const isFinCut = data.length - skipped + 1 > room;
  const fin = hasFin && !isFinCut ? 1 : 0;
  if (start !== v.rcvNxt) {
    const held = bytes + fin;
    return outcome(state, held > 0 || data.length > 0 ? acknowledgment(v) : undefined, { held });
  }
  const answer = data.length > 0 || hasFin ? acknowledgment({ ...v, rcvNxt: (start + bytes + fin) | 0 }) : undefined;
  return outcome(fin ? AFTER_FIN[state]! : state, answer, { delivered: bytes });
}

/** The states that take text, and where FIN leads from there. */
const AFTER_FIN: Readonly<Record<string, string | undefined>> = {
  ESTABLISHED: 'CLOSE-WAIT',
  'FIN-WAIT-1': 'CLOSING',
  'FIN-WAIT-2': 'TIME-WAIT',
};

/** TIME-WAIT, fifth step: a retransmission of the remote FIN is acknowledged, and starts the 2 MSL again. */
function isLastFin(v: Variables, { flags, seq, data }: Segment): boolean {
  return (flags & (FIN | ACK | SYN | RST)) === (FIN | ACK) && ((seq + lengthOf(flags, data)) | 0) === v.rcvNxt;
}

function isBareFin(v: Variables, { flags, seq, data }: Segment): boolean {
  return (flags & (FIN | ACK | SYN | RST)) === (FIN | ACK) && seq === v.rcvNxt && data.length === 0;
}

/** §3.4: the four cases of segment length and window. */
function isAcceptable(v: Variables, seq: number, length: number): boolean {
  const isInWindow = (number: number): boolean => {
    const offset = distance(v.rcvNxt, number);
    return offset >= 0 && offset < v.rcvWnd;
  };
  if (length === 0) return v.rcvWnd === 0 ? seq === v.rcvNxt : isInWindow(seq);
  return v.rcvWnd > 0 && (isInWindow(seq) || isInWindow((seq + length - 1) | 0));
}

function acknowledgment(v: Variables) {
  return { flags: ACK, seq: v.sndNxt, ack: v.rcvNxt };
}

function lengthOf(flags: number, data: Uint8Array): number {
  return data.length + (flags & SYN ? 1 : 0) + (flags & FIN ? 1 : 0);
}

function distance(from: number, to: number): number {
  return (to - from) | 0;
}

/** `una` < `ack` =< `nxt`. */
function isBetween(una: number, ack: number, nxt: number): boolean {
  return distance(una, ack) > 0 && distance(ack, nxt) >= 0;
}
