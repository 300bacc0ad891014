import type { OutputStream } from '../output-stream.js';

/** More is lost rather than kept: a reader that stopped reading must not fill the memory. */
const MAX_UNREAD_BYTES = 64 * 1_024;

/** Returns a writer of lines that loses lines while the reader does not read, and reports how many. */
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
