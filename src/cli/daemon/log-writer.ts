import type { OutputStream } from '../output-stream.js';

/** Lines beyond this budget are dropped: a stalled reader must not fill the memory. */
const MAX_UNREAD_BYTES = 64 * 1_024;

/** Returns a writer that drops lines while the reader is stalled, and reports how many. */
export function logWriter(stream: OutputStream): (line: string) => void {
  let lost = 0;
  return (line) => {
    if (stream.unreadBytes > MAX_UNREAD_BYTES) {
      lost++;
      return;
    }
    if (lost > 0) stream.write(`${lost} lines were lost: the log was not read\n`);
    lost = 0;
    stream.write(line);
  };
}
