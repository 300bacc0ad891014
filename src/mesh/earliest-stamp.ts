/** A run may have gone on for so long after its last stamp was written down. */
const UNWRITTEN_MS = 2 * 3_600_000;

/**
 * Decides where the stamps of handshakes begin. Others refuse a stamp that is not later than all before (whitepaper §5.1): where the
 * clock was set back since the last run, stamps go on from there.
 *
 * @param lastUnixMs Time of the last stamp, as it was written down; 0: none.
 * @returns Milliseconds since 1970; 0: the clock is later anyway.
 */
export function earliestStamp(lastUnixMs: number, nowUnixMs: number): number {
  return lastUnixMs > nowUnixMs ? lastUnixMs + UNWRITTEN_MS : 0;
}
