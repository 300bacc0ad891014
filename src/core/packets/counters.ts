import type { HandshakeRejection } from '../handshake/handshake-rejection.js';
import { VERDICT_COUNT, type Verdict } from './verdict.js';

/** Counts the fates of packets and messages since the device or the peer was made. */
export class Counters {
  /** By number of `Verdict`. */
  readonly verdicts = new Float64Array(VERDICT_COUNT);
  /** Why handshake messages were refused. */
  readonly rejections = new Map<HandshakeRejection, number>();

  countVerdict(verdict: Verdict): void {
    this.verdicts[verdict]++;
  }

  countRejection(rejection: HandshakeRejection): void {
    this.rejections.set(rejection, (this.rejections.get(rejection) ?? 0) + 1);
  }
}
