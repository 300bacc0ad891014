import type { Scheduled } from '../../core/session/deadline-queue.js';
import type { FlowAddress, TcpFlow } from './tcp-flow.js';

/**
 * The rest of a connection for two segment lifetimes: enough to answer a FIN that is sent again, and to tell an old
 * segment from a new connection.
 *
 * Source: RFC 9293 §3.6.1, §3.10.7.4; RFC 1337; RFC 6191.
 */
export class TimeWait implements FlowAddress, Scheduled {
  readonly local: Int32Array;
  readonly localPort: number;
  readonly remote: Int32Array;
  readonly remotePort: number;
  readonly sndNxt: number;
  readonly rcvNxt: number;
  readonly maxSndWnd: number;
  readonly hasTimestamps: boolean;
  readonly timestampOffset: number;
  readonly tsRecent: number;
  deadlineMs: number;
  mustAnswer = false;
  lastAnswerMs = -Infinity;

  constructor(flow: TcpFlow, deadlineMs: number) {
    this.local = flow.local;
    this.localPort = flow.localPort;
    this.remote = flow.remote;
    this.remotePort = flow.remotePort;
    this.sndNxt = flow.sndNxt;
    this.rcvNxt = flow.rcvNxt;
    this.maxSndWnd = flow.maxSndWnd;
    this.hasTimestamps = flow.hasTimestamps;
    this.timestampOffset = flow.timestampOffset;
    this.tsRecent = flow.tsRecent;
    this.deadlineMs = deadlineMs;
  }

  queuedAt = Infinity;
  queuePosition = 0;

  nextDeadline(): number {
    return this.deadlineMs;
  }
}
